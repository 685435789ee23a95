//! What a scripted server was asked.

use tokio::io::{AsyncRead, AsyncReadExt};

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    origin: String,
    method: String,
    path: String,
    number: usize,
    fields: Vec<(String, String)>,
    body: String,
}

impl Asked {
    /// Of the server that was asked.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    /// A parameter of the form that was posted.
    pub fn form(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// With its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Which request for this path this is, from one.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The first header field of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Reads a request. `None` if the client goes away, or says no HTTP.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), origin: &str) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let mut lines = head.trim_end().split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let fields: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = fields.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
        stream.read_exact(&mut body).await.ok()?;
        let body = String::from_utf8(body).ok()?;
        Some(Self { origin: origin.to_owned(), method, path, number: 0, fields, body })
    }

    pub(super) fn count(&mut self, earlier: &[Self]) {
        self.number = 1 + earlier.iter().filter(|asked| asked.path == self.path).count();
    }
}
