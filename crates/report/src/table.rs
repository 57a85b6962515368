//! Tables with a caption and headers, which scroll in their own box where the page is narrow.

use super::markup::{Element, Markup, element};

/// A table under construction: the first cell of each row is its header.
pub(super) struct Table {
    caption: Markup,
    headers: Vec<Markup>,
    /// The rows of each group; all in one where no group has a name.
    groups: Vec<Vec<Element>>,
    class: Option<&'static str>,
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
            groups: vec![Vec::new()],
            class: None,
        }
    }

    /// Sets the class of the style sheet.
    pub(super) const fn class(mut self, class: &'static str) -> Self {
        self.class = Some(class);
        self
    }

    /// Begins a group of rows that has a name.
    pub(super) fn group(&mut self, name: impl Into<Markup>) {
        let header = element("th")
            .attribute("scope", "rowgroup")
            .attribute("colspan", self.headers.len().to_string())
            .child(name);
        self.groups
            .push(vec![element("tr").class("group").child(header)]);
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
        let row = row.child(header).children(cells);
        if let Some(group) = self.groups.last_mut() {
            group.push(row);
        }
    }

    /// Whether it has no row yet.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.iter().all(Vec::is_empty)
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
        let bodies = table.groups.into_iter().filter(|group| !group.is_empty());
        let bodies = bodies.map(|group| element("tbody").children(group));
        let mut whole = element("table");
        if let Some(class) = table.class {
            whole = whole.class(class);
        }
        scrolling(whole.child(caption).child(head).children(bodies))
    }
}

/// A box that scrolls sideways, reachable by keyboard.
pub(super) fn scrolling(content: impl Into<Markup>) -> Markup {
    element("div")
        .class("scroll")
        .attribute("tabindex", "0")
        .attribute("role", "group")
        .attribute("aria-label", "scrolls sideways")
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
