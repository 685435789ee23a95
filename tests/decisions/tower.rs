//! The tower layer, one for each rule.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use matchit::Router;
use portcullis::AccessToken;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

use crate::seen;
use crate::table::{Answer, Front, Stage, check};

type Service =
    BoxCloneSyncService<Request<Empty<Bytes>>, Response<BoxBody<Bytes, Infallible>>, Infallible>;

struct Tower {
    routes: Router<Service>,
    otherwise: Service,
}

#[tokio::test]
async fn the_tower_layer_decides_as_the_table_says() {
    check(async |stage: &Stage| {
        let server = stage.server();
        let mut routes = Router::new();
        for rule in &stage.rules {
            let service = match rule.requirement() {
                Some(requirement) if rule.hide => {
                    boxed(server.require(requirement).hidden().layer(service_fn(told)))
                }
                Some(requirement) => boxed(server.require(requirement).layer(service_fn(told))),
                None => boxed(service_fn(told)),
            };
            routes.insert(&rule.path, service).unwrap();
        }
        Tower { routes, otherwise: boxed(server.authenticate().layer(service_fn(told))) }
    })
    .await;
}

impl Front for Tower {
    const SEES_CERTIFICATES: bool = true;

    async fn ask(&self, request: Request<()>) -> Answer {
        let found = self.routes.at(request.uri().path());
        let service = found.map_or(&self.otherwise, |found| found.value);
        seen::answer(&service.clone().oneshot(request.map(|()| Empty::new())).await.unwrap())
    }
}

async fn told(request: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    *response.headers_mut() = seen::fields(request.extensions().get::<AccessToken>());
    Ok(response)
}

fn boxed<S, B>(service: S) -> Service
where
    S: tower::Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
{
    BoxCloneSyncService::new(service.map_response(|response| response.map(BodyExt::boxed)))
}
