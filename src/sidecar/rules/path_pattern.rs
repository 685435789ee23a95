//! The path of a rule, as requests are compared with it.

/// A path with parameters, decoded, to be compared with decoded paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PathPattern {
    pub(super) segments: Vec<Segment>,
    /// Whether any rest of the path may follow.
    pub(super) is_open: bool,
    /// The names of the parameters, in order; that of the rest is last.
    pub(super) names: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Parameter { before: String, after: String },
}

impl PathPattern {
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of the parameter that is the rest of the path.
    pub(super) fn rest(&self) -> Option<usize> {
        if self.is_open { self.names.len().checked_sub(1) } else { None }
    }

    pub(super) fn matches(&self, decoded: &str) -> bool {
        self.walk(decoded, |_| ())
    }

    /// The values of the parameters in a path that matches.
    pub(super) fn values<'p>(&self, decoded: &'p str) -> Vec<&'p str> {
        let mut values = Vec::with_capacity(self.names.len());
        self.walk(decoded, |value| values.push(value));
        values
    }

    fn walk<'p>(&self, decoded: &'p str, mut found: impl FnMut(&'p str)) -> bool {
        let mut rest = decoded.strip_prefix('/');
        for segment in &self.segments {
            let Some(text) = rest else { return false };
            // By bytes: it is done for every request, and for many rules.
            let end = text.bytes().position(|byte| byte == b'/').unwrap_or(text.len());
            let Some((head, tail)) = text.split_at_checked(end) else { return false };
            rest = tail.strip_prefix('/');
            match segment {
                Segment::Literal(literal) if literal == head => {}
                Segment::Literal(_) => return false,
                Segment::Parameter { before, after } => match value(head, before, after) {
                    Some(value) => found(value),
                    None => return false,
                },
            }
        }
        match rest {
            Some(text) if self.is_open => {
                found(text);
                true
            }
            rest => rest.is_none() && !self.is_open,
        }
    }

    /// Whether every path that `other` matches is matched by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let mut theirs = other.segments.iter();
        let covered = |ours: &Segment| theirs.next().is_some_and(|theirs| ours.covers(theirs));
        if !self.segments.iter().all(covered) {
            return false;
        }
        let more = other.is_open || theirs.next().is_some();
        more == self.is_open
    }

    /// Whether this is `/admin` to `/admin/{*rest}`.
    pub(super) fn is_root_of(&self, open: &Self) -> bool {
        open.is_open && !self.is_open && self.segments == open.segments
    }

    /// Some path that matches, the slash at the end left out where any rest may follow.
    pub(super) fn example(&self) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Literal(text) => path.push_str(text),
                Segment::Parameter { before, after } => {
                    path.extend([before, "any-value", after]);
                }
            }
        }
        path
    }
}

impl Segment {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(ours), Self::Literal(theirs)) => ours == theirs,
            (Self::Literal(_), Self::Parameter { .. }) => false,
            (Self::Parameter { before, after }, Self::Literal(text)) => {
                value(text, before, after).is_some()
            }
            (Self::Parameter { before, after }, Self::Parameter { before: b, after: a }) => {
                b.starts_with(before.as_str()) && a.ends_with(after.as_str())
            }
        }
    }
}

/// What a parameter takes of a segment; never nothing.
fn value<'s>(segment: &'s str, before: &str, after: &str) -> Option<&'s str> {
    segment.strip_prefix(before)?.strip_suffix(after).filter(|value| !value.is_empty())
}
