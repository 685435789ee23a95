"""nginx in two parts: the upstream of everybody, and the yardstick of plain proxying."""

import os

from .process import Process
from .stage import CONNECTIONS, found, free_port

# More than any run sends: nobody is to close connections.
MANY = 1_000_000_000


def upstream(stage):
    """Says `ok`."""
    stage.upstream_port = free_port()
    command = configured(stage, "upstream", f"""
        access_log off;
        server {{
            listen 127.0.0.1:{stage.upstream_port};
            keepalive_requests {MANY};
            default_type text/plain;
            location / {{ return 200 "ok\\n"; }}
        }}""")
    return Process("the upstream", command, core=stage.upstream_core, port=stage.upstream_port,
                   output=stage.directory / "upstream.output")


def plain(stage, log):
    """Checks nothing. Its log is written in batches, as ours is."""
    port = free_port()
    written = f"{stage.directory}/access.log combined buffer=16k flush=1s" if log else "off"
    command = configured(stage, "nginx", f"""
        access_log {written};
        upstream service {{
            server 127.0.0.1:{stage.upstream_port};
            keepalive {CONNECTIONS * 2};
            keepalive_requests {MANY};
        }}
        server {{
            listen 127.0.0.1:{port};
            keepalive_requests {MANY};
            location / {{
                proxy_pass http://service;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_set_header Authorization "";
            }}
        }}""")
    return stage.proxy("nginx", command, port)


def configured(stage, name, http):
    """The command, with one worker."""
    prefix = stage.directory / f"{name}.d"
    prefix.mkdir(exist_ok=True)
    # Workers write where the master may, whoever that is.
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{kind}_temp_path {prefix}/{kind};"
                        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    configuration = stage.write(f"{name}.conf", f"""
        {user}
        daemon off;
        worker_processes 1;
        pid {prefix}/pid;
        error_log stderr warn;
        events {{ worker_connections 4096; }}
        http {{
            {temporary}
            {http}
        }}
        """)
    return [found("nginx"), "-p", prefix, "-e", "stderr", "-c", configuration]
