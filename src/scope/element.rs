//! One scope element, and what can be wrong with its text.

use std::fmt;
use std::str::FromStr;

/// The longest element or pattern that configuration may hold, in bytes.
pub(super) const MAX_BYTES: usize = 256;

/// The most patterns that one list may hold.
pub(crate) const MAX_PATTERNS: usize = 64;

/// One concrete scope element: a `scope-token` of RFC 6749 §3.3, at most 256 bytes long.
///
/// `*` has no meaning here; see [`ScopePattern`](super::ScopePattern) for that.
///
/// ```
/// use portcullis::Scope;
///
/// let scope = Scope::new("orders.read")?;
/// assert_eq!(scope.as_str(), "orders.read");
/// assert!(Scope::new("orders read").is_err());
/// # Ok::<(), portcullis::InvalidScope>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// A scope element with this text.
    ///
    /// # Errors
    /// When the text is empty, longer than 256 bytes, or holds anything but printable US-ASCII
    /// without space, `"` and `\` (RFC 6749 §3.3).
    pub fn new(text: &str) -> Result<Self, InvalidScope> {
        check(text)?;
        Ok(Self(text.into()))
    }

    /// For text that [`check`] has let pass.
    pub(super) fn checked(text: Box<str>) -> Self {
        Self(text)
    }

    /// The element's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        Self::new(text)
    }
}

/// Text that is no scope element or scope pattern, or a list with too many patterns.
///
/// `Display` says what is wrong and where, counting characters and elements from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidScope {
    element: Option<usize>,
    fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Empty,
    TooLong { bytes: usize },
    Character { number: usize, class: &'static str },
    TooManyPatterns { patterns: usize },
}

impl InvalidScope {
    pub(crate) fn too_many(patterns: usize) -> Self {
        Fault::TooManyPatterns { patterns }.into()
    }

    pub(super) fn of_element(self, number: usize) -> Self {
        Self { element: Some(number), ..self }
    }
}

impl From<Fault> for InvalidScope {
    fn from(fault: Fault) -> Self {
        Self { element: None, fault }
    }
}

impl fmt::Display for InvalidScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.element {
            write!(f, "element {number}: ")?;
        }
        match self.fault {
            Fault::Empty => f.write_str("a scope element cannot be empty"),
            Fault::TooLong { bytes } => {
                write!(f, "a scope element of {bytes} bytes; {MAX_BYTES} are allowed")
            }
            Fault::Character { number, class } => {
                write!(f, "character {number} is {class}, which no scope element may hold")
            }
            Fault::TooManyPatterns { patterns } => {
                write!(f, "a list of {patterns} scope patterns; {MAX_PATTERNS} are allowed")
            }
        }
    }
}

impl std::error::Error for InvalidScope {}

/// Whether a token's element has characters of the scope alphabet alone.
pub(super) fn is_element(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| in_alphabet((*byte).into()))
}

/// Whether configuration may hold this element.
pub(super) fn check(text: &str) -> Result<(), InvalidScope> {
    if text.is_empty() {
        return Err(Fault::Empty.into());
    }
    if let Some((number, class)) = first_fault(text) {
        return Err(Fault::Character { number, class }.into());
    }
    if text.len() > MAX_BYTES {
        return Err(Fault::TooLong { bytes: text.len() }.into());
    }
    Ok(())
}

fn first_fault(text: &str) -> Option<(usize, &'static str)> {
    let (number, bad) = (1..).zip(text.chars()).find(|(_, char)| !in_alphabet(*char))?;
    let class = match bad {
        ' ' => "a space",
        '"' => "a double quote",
        '\\' => "a backslash",
        '\0'..='\x7F' => "a control character",
        _ => "outside US-ASCII",
    };
    Some((number, class))
}

fn in_alphabet(char: char) -> bool {
    matches!(char, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E')
}
