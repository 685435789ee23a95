//! How the path of a rule is written: as in matchit.

use super::braces::{Piece, pieces};
use super::other_syntax;
use super::path_pattern::{PathPattern, Segment};
use crate::sidecar::path::{Ambiguous, check_segment, meaning};

impl PathPattern {
    /// The pattern that a text describes.
    ///
    /// # Errors
    /// What is wrong, for the author of the path.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['?', '#']) {
            return Err("must be a path alone; %3F and %23 stand for ? and #".to_owned());
        }
        let mut pattern = Self::default();
        for piece in pieces(text)? {
            if pattern.is_open {
                return Err("must end with its {*parameter}".to_owned());
            }
            match piece {
                Piece::Text(text) => pattern.push_text(&meaning(&text).map_err(sentence)?)?,
                Piece::Name(name) => pattern.push_parameter(name)?,
                Piece::Rest(name) => pattern.push_rest(name)?,
            }
        }
        pattern.check_segments()?;
        other_syntax::check(text)?;
        Ok(pattern)
    }

    fn push_text(&mut self, decoded: &str) -> Result<(), String> {
        let mut parts = decoded.split('/');
        let first = parts.next().unwrap_or_default();
        match self.segments.last_mut() {
            Some(Segment::Literal(end) | Segment::Parameter { after: end, .. }) => {
                end.push_str(first);
            }
            None if first.is_empty() => {}
            None => return Err(sentence(Ambiguous::NotAbsolute)),
        }
        self.segments.extend(parts.map(|part| Segment::Literal(part.to_owned())));
        Ok(())
    }

    fn push_parameter(&mut self, name: String) -> Result<(), String> {
        let before = match self.segments.pop() {
            Some(Segment::Literal(before)) => before,
            Some(Segment::Parameter { .. }) => {
                return Err("has two parameters in one segment".to_owned());
            }
            None => return Err(sentence(Ambiguous::NotAbsolute)),
        };
        self.segments.push(Segment::Parameter { before, after: String::new() });
        self.push_name(name)
    }

    fn push_rest(&mut self, name: String) -> Result<(), String> {
        match self.segments.pop() {
            Some(Segment::Literal(before)) if before.is_empty() => {}
            Some(_) => return Err("must have a slash before its {*parameter}".to_owned()),
            None => return Err(sentence(Ambiguous::NotAbsolute)),
        }
        self.is_open = true;
        self.push_name(name)
    }

    fn push_name(&mut self, name: String) -> Result<(), String> {
        if self.names.contains(&name) {
            return Err(format!("has two parameters of the name {name}"));
        }
        self.names.push(name);
        Ok(())
    }

    fn check_segments(&self) -> Result<(), String> {
        if self.segments.is_empty() && !self.is_open {
            return Err(sentence(Ambiguous::NotAbsolute));
        }
        let mut segments = self.segments.iter().peekable();
        while let Some(segment) = segments.next() {
            if let Segment::Literal(text) = segment {
                let is_last = segments.peek().is_none() && !self.is_open;
                check_segment(text.as_bytes(), is_last).map_err(sentence)?;
            }
        }
        Ok(())
    }
}

fn sentence(fault: Ambiguous) -> String {
    fault.to_string()
}
