//! Several requests in one go.

use super::{end, stage};

/// Requests with these bodies, of which `{path}` and `{auth}` are as ever.
fn request(number: usize, lines: &str, body: &str) -> String {
    format!("POST /case/{number}/ HTTP/1.1\r\nHost: api.example\r\n{lines}\r\n{body}")
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_one_go_are_answered_in_their_order_until_there_is_doubt() {
    let stage = stage().await;
    let auth = &stage.auth;
    let good = |number| request(number, &format!("{auth}Content-Length: 5\r\n"), "hello");
    let anonymous = |number| request(number, "Content-Length: 5\r\n", "hello");
    let hidden = request(99, auth, "");
    let length = hidden.len();
    let bad = format!("{auth}Content-Length: 5, 5\r\n");
    for (name, bytes, statuses, arrived) in [
        ("all good", [good(0), good(1), good(2)], &[200, 200, 200][..], &[0, 1, 2][..]),
        ("no token first", [anonymous(0), good(1), good(2)], &[401, 200, 200], &[1, 2]),
        ("no token in between", [good(0), anonymous(1), good(2)], &[200, 401, 200], &[0, 2]),
        ("bad first", [request(0, &bad, "hello"), good(1), good(2)], &[400], &[]),
        ("bad in between", [good(0), request(1, &bad, "hello"), good(2)], &[200, 400], &[0]),
        (
            "a request in a body that is not read",
            [request(0, &format!("Content-Length: {length}\r\n"), &hidden), good(1), good(2)],
            &[401, 200, 200],
            &[1, 2],
        ),
        (
            "a request in a body that is",
            [request(0, &format!("{auth}Content-Length: {length}\r\n"), &hidden), good(1), good(2)],
            &[200, 200, 200],
            &[0, 1, 2],
        ),
        (
            "a method that is not served",
            [request(0, auth, "").replace("POST", "TRACE"), good(1), good(2)],
            &[405],
            &[],
        ),
    ] {
        let mut connection = stage.open();
        connection.send(bytes.concat().as_bytes());
        let mut answered = Vec::new();
        for _ in statuses {
            answered.push(connection.answer().unwrap_or_else(|| panic!("{name}")).status);
        }
        assert_eq!(answered, statuses, "{name}");
        if statuses.len() < 3 {
            assert!(connection.is_closed(), "{name}");
        }
        let requests = stage.upstream.take();
        let lines: Vec<_> = requests.iter().map(|request| request.line().to_owned()).collect();
        let expected = arrived.iter().map(|number| format!("POST /case/{number}/ HTTP/1.1"));
        assert_eq!(lines, expected.collect::<Vec<_>>(), "{name}");
    }
}

/// Whoever does not read a body cannot know where the next request begins, unless it skips it.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_that_nobody_reads_is_no_request() {
    let stage = stage().await;
    let hidden = request(99, &stage.auth, "").repeat(3000);
    let lines = format!("Content-Length: {}\r\n", hidden.len());
    let mut connection = stage.open();
    connection.send(request(0, &lines, &hidden).as_bytes());
    connection.send(request(1, &stage.auth, "").as_bytes());
    // The end of the connection may overtake the answer.
    let statuses: Vec<u16> =
        std::iter::from_fn(|| connection.answer()).map(|a| a.status).take(2).collect();
    assert!(matches!(statuses[..], [] | [401] | [401, 200]), "{statuses:?}");
    drop(connection);
    let requests = end(stage);
    assert!(
        requests.iter().all(|request| request.line() == "POST /case/1/ HTTP/1.1"),
        "{requests:?}"
    );
}
