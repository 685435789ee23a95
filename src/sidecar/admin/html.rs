//! HTML, written so that nothing from outside can become markup.
//!
//! Markup is what stands in the source of this program (`&'static str`); everything else goes
//! through [`text`](Html::text), which escapes it.

use std::fmt::{self, Write as _};

/// A document, or a part of one.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup as it is.
    pub(super) fn markup(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Text, whatever it holds.
    pub(super) fn text(&mut self, text: impl fmt::Display) {
        // Writing to a String fails only where `Display` does, and then what is there stands.
        let _ = write!(Escaping(&mut self.0), "{text}");
    }

    /// An element with content. `tag` is what stands between `<` and `>`, with attributes.
    pub(super) fn element(&mut self, tag: &'static str, content: impl FnOnce(&mut Self)) {
        let name = tag.split_once(' ').map_or(tag, |(name, _)| name);
        self.0.extend(["<", tag, ">"]);
        content(self);
        self.0.extend(["</", name, ">"]);
    }

    /// An element with nothing but text in it.
    pub(super) fn line(&mut self, tag: &'static str, text: impl fmt::Display) {
        self.element(tag, |html| html.text(text));
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// For content of elements and values of attributes alike.
struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                plain => self.0.push(plain),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_close_by_their_name() {
        let mut html = Html::default();
        html.element("td class=number", |html| html.line("b", "<1 & 'more'>"));
        html.markup("<hr>");
        assert_eq!(
            html.into_string(),
            "<td class=number><b>&lt;1 &amp; &#39;more&#39;&gt;</b></td><hr>"
        );
    }

    proptest! {
        #[test]
        fn text_is_never_markup_and_nothing_of_it_is_lost(text in any::<String>()) {
            let mut html = Html::default();
            html.text(&text);
            let written = html.into_string();
            prop_assert!(!written.contains(['<', '>', '"', '\'']));
            let read = written
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            prop_assert_eq!(read, text);
        }
    }
}
