"""HAProxy with `jwt_verify`. It has no access log here."""

from .stage import AUDIENCE, ISSUER, found, free_port


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
    http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,"{stage.public_key}") 1 }}
    http-request del-header authorization
    default_backend service

backend service
    http-reuse always
    server one 127.0.0.1:{stage.upstream_port} pool-max-conn -1
""")
    return stage.proxy("HAProxy", [found("haproxy"), "-db", "-q", "-f", configuration], port)
