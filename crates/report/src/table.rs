//! Tables with a caption and headers, which scroll in their own box where the page is narrow.

use maud::{Markup, Render, html};

/// A table under construction: the first cell of each row is its header.
pub(super) struct Table {
    caption: Markup,
    headers: Vec<String>,
    /// The rows of each group; all in one where no group has a name.
    groups: Vec<Vec<Markup>>,
    class: Option<&'static str>,
}

impl Table {
    /// A table with the headers of its columns and no row yet.
    pub(super) fn new<T: Into<String>>(
        caption: impl Render,
        headers: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            caption: caption.render(),
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
    pub(super) fn group(&mut self, name: impl Render) {
        self.groups.push(vec![html! {
            tr.group { th scope="rowgroup" colspan=(self.headers.len()) { (name) } }
        }]);
    }

    /// Adds a row: its header, then its cells; a short row is filled with empty cells.
    pub(super) fn row(
        &mut self,
        header: impl Render,
        cells: impl IntoIterator<Item = impl Render>,
    ) {
        self.add_filled(None, header, cells);
    }

    /// Adds a row for comparison with the run's own, such as one of the paper.
    pub(super) fn reference_row(
        &mut self,
        header: impl Render,
        cells: impl IntoIterator<Item = impl Render>,
    ) {
        self.add_filled(Some("reference"), header, cells);
    }

    /// Adds a row of whole `td` elements, one for each column, which bring their own attributes.
    pub(super) fn row_of_cells(&mut self, header: impl Render, cells: impl Render) {
        self.add(None, header, cells);
    }

    fn add_filled(
        &mut self,
        class: Option<&str>,
        header: impl Render,
        cells: impl IntoIterator<Item = impl Render>,
    ) {
        let cells: Vec<Markup> = cells.into_iter().map(|cell| cell.render()).collect();
        let missing = self.headers.len().saturating_sub(cells.len() + 1);
        let cells = html! {
            @for cell in cells { td { (cell) } }
            @for _ in 0..missing { td {} }
        };
        self.add(class, header, cells);
    }

    fn add(&mut self, class: Option<&str>, header: impl Render, cells: impl Render) {
        let row = html! {
            tr class=[class] {
                th scope="row" { (header) }
                (cells)
            }
        };
        if let Some(group) = self.groups.last_mut() {
            group.push(row);
        }
    }

    /// Whether it has no row yet.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.iter().all(Vec::is_empty)
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        scrolling(html! {
            table class=[self.class] {
                caption { span { (self.caption) } }
                thead {
                    tr { @for header in &self.headers { th scope="col" { (header) } } }
                }
                @for rows in self.groups.iter().filter(|rows| !rows.is_empty()) {
                    tbody { @for row in rows { (row) } }
                }
            }
        })
    }
}

/// A box that scrolls sideways, reachable by keyboard.
pub(super) fn scrolling(content: impl Render) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="scrolls sideways" { (content) }
    }
}

/// Names and values, side by side.
pub(super) fn facts(facts: impl IntoIterator<Item = (impl Render, impl Render)>) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in facts {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_row_is_filled_up() {
        let mut table = Table::new("c", ["a", "b", "c"]);
        table.row("1", ["2"]);
        let html = table.render().into_string();
        assert!(
            html.contains("<th scope=\"row\">1</th><td>2</td><td></td></tr>"),
            "{html}"
        );
    }
}
