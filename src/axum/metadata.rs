//! The metadata document as routes.

use axum_core::body::Body;
use axum_core::response::IntoResponse as _;
use axum_core::response::Response;
use http::{Method, StatusCode, Uri};

use crate::resource_server::ResourceServer;

/// Routes for the metadata document of a resource (RFC 9728), to be merged into an application at its
/// root, so that they stand beside what asks for tokens. There are none where no
/// [`resource`](crate::ResourceServerBuilder::resource) is configured.
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::axum::metadata_router;
/// use portcullis::{Issuer, ResourceServer};
///
/// let api = ResourceServer::builder()
///     .issuer(Issuer::discover("https://login.example.com"))
///     .resource("https://api.example.com")
///     .build()?;
/// let app: Router = Router::new()
///     .route("/orders", get(async || "orders").route_layer(api.authenticate()))
///     .merge(metadata_router(&api));
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
pub fn metadata_router<S: Clone + Send + Sync + 'static>(
    server: &ResourceServer,
) -> axum::Router<S> {
    let paths = server.metadata().into_iter().flat_map(|metadata| metadata.paths());
    paths.fold(axum::Router::new(), |router, path| {
        let server = server.clone();
        let answer = async move |method: Method, uri: Uri| answer(&server, &method, &uri);
        router.route(path, axum::routing::any(answer))
    })
}

/// A route knows its path alone.
fn answer(server: &ResourceServer, method: &Method, uri: &Uri) -> Response {
    match server.metadata().and_then(|metadata| metadata.answer(method, uri)) {
        Some(answer) => answer.map(Body::from),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
