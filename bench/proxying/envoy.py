"""Envoy with `jwt_authn` and its cache of tokens. It has no access log here."""

import json

from .stage import AUDIENCE, ISSUER, found, free_port

PACKAGE = "type.googleapis.com/envoy.extensions.filters"


def envoy(stage):
    port = free_port()
    check = {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": f"{PACKAGE}.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"bench": {
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "forward": False,
                "local_jwks": {"filename": str(stage.jwks)},
                # As many as ours keeps; its own default is 100.
                "jwt_cache_config": {"jwt_cache_size": 10_000},
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}],
        },
    }
    manager = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{PACKAGE}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "api",
            "http_filters": [check, {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{PACKAGE}.http.router.v3.Router"},
            }],
            "route_config": {"virtual_hosts": [{
                "name": "api",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "service"}}],
            }]},
        },
    }
    endpoint = {"endpoint": {"address": address(stage.upstream_port)}}
    configuration = stage.write("envoy.json", json.dumps({"static_resources": {
        "listeners": [{"address": address(port), "filter_chains": [{"filters": [manager]}]}],
        "clusters": [{
            "name": "service",
            "connect_timeout": "5s",
            "load_assignment": {"cluster_name": "service", "endpoints": [{"lb_endpoints": [endpoint]}]},
        }],
    }}))
    command = [found("envoy"), "-c", configuration, "--concurrency", "1", "--disable-hot-restart",
               "--log-level", "warning"]
    return stage.proxy("Envoy", command, port)


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
