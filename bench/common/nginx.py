"""nginx for one benchmark: a configuration and a command line, with every file in a folder of its own."""

import os

from bench.common.machine import which

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    server_tokens off;
    default_type text/plain;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
{upstream}
    server {{
        listen 127.0.0.1:{port} backlog={backlog};
        location / {{ {location} }}
    }}
}}
"""

#: What Kestrel alone and every WSGI application of hello world answer.
HELLO = r'return 200 "Hello, world!";'


def prepare(folder, port, location, backlog, upstream=""):
    """Write the configuration into the folder; the command line of an nginx in the foreground, with one worker that closes no connection by itself."""
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="ascii") as configuration:
        configuration.write(CONFIGURATION.format(folder=folder, port=port, location=location, backlog=backlog, upstream=upstream))
    # As root nginx would give its worker away to a user who may not enter the folder.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    return [which("nginx") or "nginx", *user, "-p", folder, "-c", path]
