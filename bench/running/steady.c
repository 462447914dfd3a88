/* Requests at a fixed rate, for the latencies of bench/run.
 *
 *     steady PORT RATE SECONDS CONNECTIONS KEEP_ALIVE BODY_LENGTH <REQUEST
 *
 * Requests become due by a plan that is drawn before the first is sent: exponential distances, as of clients that know nothing of each other, always from the same seed. A request
 * that is due while all connections are busy waits for one, and its latency runs from when it was due: a server that stands still for a second does not get away with few slow
 * requests ("coordinated omission"). wrk cannot do that (its next request follows the last answer) and h2load's --rps lets all connections fire together every 10 ms.
 *
 * With KEEP_ALIVE 0 each request has a new connection, and connecting is part of its latency. A server that closes anyway gets a new one, too.
 * Each answer must be a 200 with a body of BODY_LENGTH bytes. Prints one line of JSON; times are in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_ROOM 16384
#define REQUEST_ROOM (1 << 20)
/* How long after the last request was due an answer still counts. */
#define GRACE_NS 2000000000LL

enum state { CLOSED, IDLE, CONNECTING, SENDING, HEAD, BODY, CLOSING };

struct connection {
    int fd;
    enum state state;
    int64_t due;
    size_t sent, have;
    long left; /* bytes of the body still to come; -1: until the end of the connection */
    long got;
    int answers;
    char head[HEAD_ROOM + 1];
};

static struct sockaddr_in address = {.sin_family = AF_INET};
static char request[REQUEST_ROOM];
static size_t request_length;
static int epoll, keep_alive;
static long body_length;
static int64_t *latencies;
static long done, failed, wrong;
static struct connection **idle;
static int idle_count;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll, operation, c->fd, &event);
}

static void drop(struct connection *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->state = CLOSED;
}

static void rest(struct connection *c, enum state state) {
    c->state = state;
    idle[idle_count++] = c;
}

static void give_up(struct connection *c) {
    failed++;
    drop(c);
    rest(c, CLOSED);
}

static void go_on_sending(struct connection *c) {
    while (c->sent < request_length) {
        ssize_t n = send(c->fd, request + c->sent, request_length - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            c->state = SENDING;
            watch(c, EPOLL_CTL_MOD, EPOLLOUT | EPOLLIN);
            return;
        }
        if (n < 0) {
            give_up(c);
            return;
        }
        c->sent += n;
    }
    if (c->state == SENDING || c->state == CONNECTING) watch(c, EPOLL_CTL_MOD, EPOLLIN);
    c->state = HEAD;
}

static void begin(struct connection *c, int64_t due) {
    c->due = due;
    c->sent = c->have = 0;
    c->got = 0;
    if (c->state == IDLE) {
        go_on_sending(c);
        return;
    }
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CONNECTING;
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
        give_up(c);
        return;
    }
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

/* The answer is complete. Whoever asked for a close waits for it, so that the closed connection's port is the server's to keep and not ours. */
static void complete(struct connection *c, int ended) {
    if (memcmp(c->head, "HTTP/1.", 7) || strncmp(c->head + 8, " 200", 4) || c->got != body_length) {
        wrong++;
        drop(c);
        rest(c, CLOSED);
        return;
    }
    latencies[done++] = now() - c->due;
    c->answers++;
    if (ended) {
        drop(c);
        rest(c, CLOSED);
    } else if (keep_alive)
        rest(c, IDLE);
    else
        c->state = CLOSING;
}

/* What has come after the head counts as body. Returns 0 while the head is incomplete. */
static int read_head(struct connection *c) {
    c->head[c->have] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return 0;
    *end = 0;
    char *length = strcasestr(c->head, "\r\nContent-Length:");
    c->got = c->have - (end + 4 - c->head);
    c->left = length ? atol(length + 17) - c->got : -1;
    c->state = BODY;
    return 1;
}

static void idle_closed(struct connection *c) {
    for (int i = 0; i < idle_count; i++)
        if (idle[i] == c) idle[i] = idle[--idle_count];
    drop(c);
    rest(c, CLOSED);
}

static void readable(struct connection *c) {
    static char body[1 << 18];
    for (;;) {
        int in_head = c->state == HEAD || c->state == SENDING;
        ssize_t n = in_head ? recv(c->fd, c->head + c->have, HEAD_ROOM - c->have, 0) : recv(c->fd, body, sizeof body, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (c->state == IDLE) {
            idle_closed(c);
            return;
        }
        if (c->state == CLOSING) {
            if (n > 0) continue;
            drop(c);
            rest(c, CLOSED);
            return;
        }
        if (n <= 0) {
            if (n == 0 && c->state == BODY && c->left < 0) complete(c, 1);
            else give_up(c);
            return;
        }
        if (in_head) {
            c->have += n;
            if (!read_head(c)) {
                if (c->have == HEAD_ROOM) give_up(c);
                if (c->state == CLOSED) return;
                continue;
            }
        } else {
            c->got += n;
            if (c->left >= 0) c->left -= n;
        }
        if (c->left == 0) {
            complete(c, 0);
            if (c->state != CLOSING) return;
        }
    }
}

static void handle(struct epoll_event *event) {
    struct connection *c = event->data.ptr;
    if (c->fd < 0) return;
    if (c->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) give_up(c);
        else go_on_sending(c);
    } else if (c->state == SENDING && event->events & EPOLLOUT)
        go_on_sending(c);
    else
        readable(c);
}

static double draw(void) {
    static uint64_t x = 88172645463325252ULL;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return ((x >> 11) + 1) * (1.0 / 9007199254740993.0);
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile(double share) {
    long rank = (long)ceil(share * done) - 1;
    return done ? latencies[rank < 0 ? 0 : rank] / 1e3 : 0;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    address.sin_port = htons(atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    double rate = atof(argv[2]), seconds = atof(argv[3]);
    int connections = atoi(argv[4]);
    keep_alive = atoi(argv[5]);
    body_length = atol(argv[6]);
    request_length = fread(request, 1, sizeof request, stdin);
    prctl(PR_SET_TIMERSLACK, 1);

    long planned = 0, most = (long)(rate * seconds * 2) + 1000;
    int64_t *plan = malloc(most * sizeof *plan);
    double at = 0;
    while (planned < most && (at += -log(draw()) / rate) < seconds) plan[planned++] = (int64_t)(at * 1e9);
    latencies = malloc((planned + 1) * sizeof *latencies);

    epoll = epoll_create1(0);
    struct connection *all = calloc(connections, sizeof *all);
    idle = malloc(connections * sizeof *idle);
    for (int i = connections; i--;) all[i].fd = -1, rest(&all[i], CLOSED);

    int64_t start = now() + 1000000, end = start + (int64_t)(seconds * 1e9) + GRACE_NS;
    long next = 0;
    struct epoll_event events[256];
    while (done + failed + wrong < planned && now() < end) {
        while (next < planned && idle_count && start + plan[next] <= now()) {
            begin(idle[--idle_count], start + plan[next]);
            next++;
        }
        int64_t wait = next < planned && idle_count ? start + plan[next] - now() : end - now();
        if (wait < 0) wait = 0;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        int n = epoll_pwait2(epoll, events, 256, &timeout, NULL);
        for (int i = 0; i < n; i++) handle(&events[i]);
    }
    double took = (now() - start) / 1e9;
    qsort(latencies, done, sizeof *latencies, by_size);
    printf("{\"planned\": %ld, \"done\": %ld, \"failed\": %ld, \"wrong\": %ld, \"seconds\": %.3f, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}\n", planned, done, failed,
           wrong, took, percentile(0.5), percentile(0.99), percentile(0.999), percentile(1));
    return 0;
}
