//! What a whole page must be: the same bytes, self-contained, and readable in a browser.

mod browser;
mod fixture;
mod golden;
mod overlap;
mod page;
