"""Who takes part: the configuration of each, as its manual would have it for this task.

Everybody runs with one thread, keeps connections to the upstream, and takes `Authorization` off. Those
that check tokens check signature, algorithm, issuer, audience and expiry.
"""

import json
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from .process import Process

ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com"
CHECKED, PUBLIC = "/orders/4711", "/public/4711"
CONNECTIONS = 64

# More than any run sends: nobody is to close connections.
MANY = 1_000_000_000


@dataclass
class Stage:
    """Where everything takes place."""

    directory: Path
    proxy_core: int
    load_core: int
    upstream_port: int = 0

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def proxy(self, name, command, port, environment=None):
        return Process(name, command, core=self.proxy_core, port=port, environment=environment,
                       output=self.directory / "output")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def upstream(stage):
    """nginx that says `ok`. Shares a core with the load."""
    stage.upstream_port = free_port()
    location = 'location / { default_type text/plain; return 200 "ok\\n"; }'
    command = nginx_command(stage, "upstream", stage.upstream_port, "access_log off;", location)
    return Process("the upstream", command, core=stage.load_core, port=stage.upstream_port,
                   output=stage.directory / "upstream.output")


def nginx(stage, log):
    """Checks nothing: the yardstick of plain proxying."""
    port = free_port()
    # Written in batches, as ours is.
    written = f"access_log {stage.directory}/access.log combined buffer=16k flush=1s;" if log else "access_log off;"
    location = f"""
        upstream service {{
            server 127.0.0.1:{stage.upstream_port};
            keepalive {CONNECTIONS * 2};
            keepalive_requests {MANY};
        }}""", """
        location / {
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "";
        }"""
    command = nginx_command(stage, "nginx", port, written, location[1], location[0])
    return stage.proxy("nginx", command, port)


def nginx_command(stage, name, port, log, location, more=""):
    prefix = stage.directory / f"{name}.d"
    prefix.mkdir(exist_ok=True)
    # Workers write where the master may, whoever that is.
    user = "user root;" if os.geteuid() == 0 else ""
    paths = "".join(f"{kind}_temp_path {prefix}/{kind};\n"
                    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    configuration = stage.write(f"{name}.conf", f"""
        {user}
        daemon off;
        worker_processes 1;
        pid {prefix}/pid;
        error_log stderr warn;
        events {{ worker_connections 4096; }}
        http {{
            {paths}
            {log}
            {more}
            server {{
                listen 127.0.0.1:{port};
                keepalive_requests {MANY};
                {location}
            }}
        }}
        """)
    return [found("nginx"), "-p", prefix, "-e", "stderr", "-c", configuration]


def portcullis(stage, binary, log):
    """Two rules, one of them public, so that plain proxying is measured in the same process."""
    port = free_port()
    rules = stage.write("rules.toml", """
        [[rule]]
        path = "/public/{*rest}"
        public = true

        [[rule]]
        path = "/orders/{id}"
        scopes = ["orders.read"]
        """)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTCULLIS")}
    environment |= {
        "PORTCULLIS_ISSUER": ISSUER,
        "PORTCULLIS_AUDIENCE": AUDIENCE,
        "PORTCULLIS_JWKS_FILE": str(stage.directory / "jwks.json"),
        "PORTCULLIS_UPSTREAM": f"http://127.0.0.1:{stage.upstream_port}",
        "PORTCULLIS_LISTEN": f"127.0.0.1:{port}",
        "PORTCULLIS_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
        "PORTCULLIS_RULES": str(rules),
    }
    if not log:
        environment["PORTCULLIS_LOG"] = "portcullis::access=off,warn"
    return stage.proxy("portcullis", [binary, "serve"], port, environment)


def haproxy(stage):
    port = free_port()
    configuration = stage.write("haproxy.cfg", f"""
global
    nbthread 1
    maxconn 4096

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend api
    bind 127.0.0.1:{port}
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
    http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')
    http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
    http-request deny deny_status 401 unless {{ var(txn.iss) -m str {ISSUER} }}
    http-request deny deny_status 401 unless {{ var(txn.aud) -m str {AUDIENCE} }}
    http-request deny deny_status 401 unless {{ var(txn.exp),sub(txn.now) -m int gt 0 }}
    http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,"{stage.directory}/public.pem") 1 }}
    http-request del-header authorization
    default_backend service

backend service
    http-reuse always
    server one 127.0.0.1:{stage.upstream_port} pool-max-conn -1
""")
    return stage.proxy("HAProxy", [found("haproxy"), "-db", "-q", "-f", configuration], port)


def envoy(stage):
    port = free_port()
    socket_address = lambda number: {"socket_address": {"address": "127.0.0.1", "port_value": number}}
    package = "type.googleapis.com/envoy.extensions.filters"
    check = {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": f"{package}.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"bench": {
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "forward": False,
                "local_jwks": {"filename": str(stage.directory / "jwks.json")},
                # As many as ours keeps; its own default is 100.
                "jwt_cache_config": {"jwt_cache_size": 10_000},
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}],
        },
    }
    manager = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{package}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "api",
            "http_filters": [check, {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{package}.http.router.v3.Router"},
            }],
            "route_config": {"virtual_hosts": [{
                "name": "api",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "service"}}],
            }]},
        },
    }
    endpoint = {"endpoint": {"address": socket_address(stage.upstream_port)}}
    configuration = stage.write("envoy.json", json.dumps({"static_resources": {
        "listeners": [{"address": socket_address(port), "filter_chains": [{"filters": [manager]}]}],
        "clusters": [{
            "name": "service",
            "connect_timeout": "5s",
            "load_assignment": {"cluster_name": "service", "endpoints": [{"lb_endpoints": [endpoint]}]},
        }],
    }}))
    command = [found("envoy"), "-c", configuration, "--concurrency", "1", "--disable-hot-restart",
               "--log-level", "warning"]
    return stage.proxy("Envoy", command, port)


def found(program):
    """Its path, or `None`. Envoy is looked for in an environment of its own, too."""
    private = Path(__file__).resolve().parent.parent / "results" / "envoy" / "bin"
    system = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    return shutil.which(program, path=system) or shutil.which(program, path=private)
