//! Tables with a caption and headers, which scroll in their own box where the page is narrow.

use super::markup::{Element, Markup, element};

/// A table under construction: the first cell of each row is its header.
pub(super) struct Table {
    caption: Markup,
    headers: Vec<Markup>,
    rows: Vec<Element>,
}

/// A row's standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The run's own.
    Own,
    /// For comparison: the paper's, a baseline's.
    Reference,
}

impl Table {
    /// A table with a caption and the headers of its columns.
    pub(super) fn new<T: Into<Markup>>(
        caption: impl Into<Markup>,
        headers: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            caption: caption.into(),
            headers: headers.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: its header, then its cells; a short row is filled with empty cells.
    pub(super) fn row<T: Into<Markup>>(
        &mut self,
        kind: Kind,
        header: impl Into<Markup>,
        cells: impl IntoIterator<Item = T>,
    ) {
        let cells = cells.into_iter().map(|cell| element("td").child(cell));
        self.cells(kind, header, cells);
    }

    /// Adds a row of cells that bring their own attributes.
    pub(super) fn cells(
        &mut self,
        kind: Kind,
        header: impl Into<Markup>,
        cells: impl IntoIterator<Item = Element>,
    ) {
        let mut cells: Vec<Element> = cells.into_iter().collect();
        while cells.len() + 1 < self.headers.len() {
            cells.push(element("td"));
        }
        let header = element("th").attribute("scope", "row").child(header);
        let row = match kind {
            Kind::Own => element("tr"),
            Kind::Reference => element("tr").class("reference"),
        };
        self.rows.push(row.child(header).children(cells));
    }

    /// Whether it has no row yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl From<Table> for Markup {
    fn from(table: Table) -> Self {
        let headers = table
            .headers
            .into_iter()
            .map(|header| element("th").attribute("scope", "col").child(header));
        let head = element("thead").child(element("tr").children(headers));
        let caption = element("caption").child(element("span").child(table.caption));
        scrolling(
            element("table")
                .child(caption)
                .child(head)
                .child(element("tbody").children(table.rows)),
        )
    }
}

/// A box that scrolls sideways, reachable by keyboard.
pub(super) fn scrolling(content: impl Into<Markup>) -> Markup {
    element("div")
        .class("scroll")
        .attribute("tabindex", "0")
        .child(content)
        .into()
}

/// Names and values, side by side.
pub(super) fn facts<N: Into<Markup>, V: Into<Markup>>(
    facts: impl IntoIterator<Item = (N, V)>,
) -> Markup {
    let items = facts.into_iter().map(|(name, value)| {
        element("div")
            .child(element("dt").child(name))
            .child(element("dd").child(value))
    });
    element("dl").class("facts").children(items).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_row_is_filled_up() {
        let mut table = Table::new("c", ["a", "b", "c"]);
        table.row(Kind::Own, "1", ["2"]);
        let html = Markup::from(table).into_string();
        assert!(
            html.contains("<th scope=\"row\">1</th><td>2</td><td></td></tr>"),
            "{html}"
        );
    }
}
