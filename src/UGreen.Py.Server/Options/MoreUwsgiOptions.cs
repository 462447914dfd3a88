namespace UGreen.Py.Server.Options;

/// <summary>Further options of uWSGI, as they stand in configuration files: without them each would look like a spelling mistake.</summary>
internal static class MoreUwsgiOptions
{
    public static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "abstract-socket", "add-gid", "alarm", "binary-path", "buffer-size", "cache-expires-only", "catch-exceptions", "chdir2", "cheap", "cheaper-algo",
        "cheaper-busyness-max", "cheaper-busyness-min", "cheaper-rss-limit-hard", "cheaper-rss-limit-soft",
        "check-static-docroot", "chunked-input-limit", "chunked-input-timeout", "close-on-exec", "close-on-exec2", "cpu-affinity", "cron2",
        "daemonize2", "del-header", "die-on-idle", "disable-sendfile", "disable-write-exception", "drop-after-apps", "emperor-stats", "enable-metrics",
        "enable-proxy-protocol", "envdir", "evil-reload-on-rss", "exec-asap", "exec-post-app", "exec-pre-app", "exit-on-reload", "farm", "fastrouter",
        "file-serve-mode", "force-cwd", "freebind", "gevent-monkey-patch", "gevent-early-monkey-patch", "harakiri-no-arh",
        "harakiri-queue-threshold", "harakiri-verbose", "honour-range", "honour-stdin", "hook-as-user", "hook-asap", "hook-post-app", "hook-pre-app", "http-auto-chunked",
        "http-auto-gzip", "http-buffer-size", "http-chunked-input", "http-connect-timeout", "http-headers-timeout", "http-manage-expect", "http-modifier1",
        "http-processes", "http-raw-body", "http-to", "http-websockets", "http11-socket", "https-socket", "https2", "idle", "ignore-sigpipe", "ignore-write-errors",
        "log-4xx", "log-5xx", "log-backupname", "log-big", "log-date", "log-drain", "log-encoder", "log-ioerror", "log-master", "log-maxsize", "log-micros",
        "log-prefix", "log-reopen", "log-req-encoder", "log-route", "log-sendfile", "log-slow", "log-truncate", "log-x-forwarded-for", "log-zero", "logdate",
        "logfile-chmod", "logfile-chown", "logformat-strftime", "logger", "logto2", "max-fd", "max-vars",
        "metric", "mime-file", "mules", "no-default-app", "no-defer-accept", "no-site", "paste", "pcre-jit", "pidfile2",
        "plugin", "plugins", "plugins-dir", "plugin-dir", "post-buffering-bufsize", "procname-append", "procname-master", "protocol",
        "py-call-osafterfork", "py-call-uwsgi-fork-hooks", "py-tracebacker", "pyargv", "pyimport", "pymodule-alias", "pyrun", "pythonpath2", "python-auto-reload",
        "python-import", "queue-blocksize", "queue-store", "rbtimer", "reload-on-as", "reload-on-exception", "reload-os-env", "rem-header",
        "remap-modifier", "req-logger", "reuse-port", "route", "route-host", "route-if", "route-run", "route-uri", "safe-pidfile", "sharedarea", "shared-import", "shared-socket",
        "smart-attach-daemon", "so-keepalive", "so-send-timeout", "so-write-timeout", "socket-protocol", "spooler-chdir", "spooler-frequency", "spooler-harakiri",
        "spooler-import", "spooler-max-tasks", "spooler-ordered", "spooler-processes", "spooler-quiet", "ssl-sessions-use-cache", "static-expires",
        "static-expires-uri", "static-gzip", "static-gzip-all", "static-index", "static-map2", "static-safe", "static-skip-ext", "stats-http", "stats-minified", "stats-push",
        "stats-server", "subscribe-to", "subscription-server", "suppress-sigpipe", "tcp-nodelay", "threads-stacksize", "thread-stacksize", "timer",
        "touch-chain-reload", "touch-exec", "touch-logreopen", "touch-logrotate", "touch-workers-reload", "unenv", "unique-cron", "upload-progress", "vhost",
        "virtualhost", "wsgi-accept-buffer", "wsgi-accept-buffers", "wsgi-disable-file-wrapper", "wsgi-env-behavior", "wsgi-env-behaviour", "wsgi-lite", "wsgi-manage-chunked-input",
        "write-errors-exception-only", "write-errors-tolerance", "zerg", "zerg-server",
    };
}
