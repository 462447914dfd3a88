/* What the tests run on green stacks in CPython's place. Compiled by the tests with gcc; every job is started as PyObject_CallNoArgs would be. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <xmmintrin.h>

typedef void *(*hubcall_fn)(void *self, void *const *args, intptr_t nargs, void *kwnames);
typedef intptr_t (*managed_fn)(intptr_t);

/* Mirrored by GreenJob.cs. */
struct job {
    void *(*run)(struct job *);
    hubcall_fn hubcall;
    managed_fn managed;
    intptr_t rounds;
    intptr_t failures;
    intptr_t seed;
};

void *start_job(struct job *job) { return job->run(job); }

static intptr_t trap(struct job *job, intptr_t value) {
    void *args[1] = {(void *)value};
    return (intptr_t)job->hubcall(job, args, 1, (void *)(value + 7));
}

/* Each answer must be 3 * value + 1: the hub has read the argument and its result came back. */
void *echo_job(struct job *job) {
    for (intptr_t i = 0; i < job->rounds; i++) {
        intptr_t value = job->seed + i;
        if (trap(job, value) != 3 * value + 1) job->failures++;
    }
    return (void *)(job->seed + 1000);
}

/* A hub call at the bottom of a recursion, with frames of its own to be found unchanged on the way back. */
static intptr_t descend(struct job *job, intptr_t depth) {
    volatile intptr_t frame[16];
    for (int i = 0; i < 16; i++) frame[i] = depth * 31 + i + job->seed;
    intptr_t below = depth == 0 ? trap(job, job->seed) : descend(job, depth - 1);
    for (int i = 0; i < 16; i++)
        if (frame[i] != depth * 31 + i + job->seed) job->failures++;
    return below;
}

void *deep_job(struct job *job) {
    for (intptr_t i = 0; i < job->rounds; i++)
        if (descend(job, 20 + i % 80) != 3 * job->seed + 1) job->failures++;
    return 0;
}

/* Fills the six callee-saved registers with seed + 1 ... seed + 6, makes a hub call, and returns 0 when all of them came back. */
intptr_t keeps_registers(hubcall_fn fn, struct job *job, void *const *args, intptr_t seed);
__asm__(".text\n.globl keeps_registers\n.type keeps_registers, @function\nkeeps_registers:\n"
        "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n push %rcx\n"
        "lea 1(%rcx), %rbx\n lea 2(%rcx), %rbp\n lea 3(%rcx), %r12\n lea 4(%rcx), %r13\n lea 5(%rcx), %r14\n lea 6(%rcx), %r15\n"
        "mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov $1, %edx\n xor %ecx, %ecx\n call *%rax\n"
        "pop %rdx\n"
        "sub %rdx, %rbx\n sub %rdx, %rbp\n sub %rdx, %r12\n sub %rdx, %r13\n sub %rdx, %r14\n sub %rdx, %r15\n"
        "xor $1, %rbx\n xor $2, %rbp\n xor $3, %r12\n xor $4, %r13\n xor $5, %r14\n xor $6, %r15\n"
        "mov %rbx, %rax\n or %rbp, %rax\n or %r12, %rax\n or %r13, %rax\n or %r14, %rax\n or %r15, %rax\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n"
        ".size keeps_registers, . - keeps_registers\n");

void *registers_job(struct job *job) {
    for (intptr_t i = 0; i < job->rounds; i++) {
        void *args[1] = {(void *)i};
        if (keeps_registers(job->hubcall, job, args, job->seed * 1000 + i * 16) != 0) job->failures++;
    }
    return 0;
}

/* mxcsr without its status bits, and the x87 control word in the upper half. */
intptr_t control_words(void) {
    uint16_t x87;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (intptr_t)(_mm_getcsr() & ~0x3Fu) | ((intptr_t)x87 << 32);
}

static void set_control_words(intptr_t words) {
    uint16_t x87 = (uint16_t)(words >> 32);
    _mm_setcsr((unsigned)words);
    __asm__ volatile("fldcw %0" : : "m"(x87));
}

/* Every green thread has a rounding mode of its own, in both units, and finds it again after each hub call. */
void *control_words_job(struct job *job) {
    intptr_t initial = 0x1F80 | ((intptr_t)0x037F << 32);
    if (control_words() != initial) job->failures++;
    intptr_t own = initial | ((job->seed & 3) << 13) | ((job->seed & 3) << (32 + 10));
    set_control_words(own);
    for (intptr_t i = 0; i < job->rounds; i++) {
        trap(job, i);
        if (control_words() != own) job->failures++;
    }
    return 0;
}

/* Calls C# from the green stack, then traps, alternately. */
void *managed_job(struct job *job) {
    for (intptr_t i = 0; i < job->rounds; i++) {
        if (job->managed(i) != i + 1) job->failures++;
        if (trap(job, i) != 3 * i + 1) job->failures++;
    }
    return 0;
}

/* Where the job runs, by its own stack pointer and by the C library: 1 when the second holds the first. */
void *bounds_job(struct job *job) {
    pthread_attr_t attributes;
    void *low;
    size_t bytes;
    char here;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
    pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
    job->seed = (intptr_t)&here;
    return (void *)(intptr_t)(&here > (char *)low && &here < (char *)low + bytes);
}

/* How far the stack is from the 16-byte alignment that the ABI promises to a called function; aligned SSE moves depend on it. */
__attribute__((noinline)) void *alignment_job(struct job *job) {
    (void)job;
    return (void *)((intptr_t)__builtin_frame_address(0) & 15);
}

/* As a hub call that nobody waits for: nothing but the trap. */
void *bare_job(struct job *job) {
    for (intptr_t i = 0; i < job->rounds; i++) job->hubcall(job, 0, 0, 0);
    return 0;
}

/* As bare_job below some calls, each with a little stack, as an interpreter has them: shows what the return predictor and the caches lose. */
static __attribute__((noinline)) intptr_t nested(struct job *job, intptr_t depth) {
    volatile char room[176];
    memset((void *)room, (int)depth, sizeof room);
    if (depth == 0) return (intptr_t)job->hubcall(job, 0, 0, 0) + room[0];
    return nested(job, depth - 1) + room[5];
}

void *nested_job(struct job *job) {
    for (intptr_t i = 0; i < job->rounds; i++) job->failures += nested(job, 5) == 12345;
    return 0;
}

/* Uses up the stack, whatever its size. */
__attribute__((noinline)) static intptr_t exhaust(volatile intptr_t depth) {
    volatile char room[256];
    room[0] = (char)depth;
    return depth < 0 ? room[0] : exhaust(depth + 1) + room[0];
}

void *overflow_job(struct job *job) { return (void *)exhaust((intptr_t)job); }

/* The glibc layout that PosixContextLayout states, from the installed header: size, uc_link, ss_sp, ss_size; and sigaction's: size, sa_flags. */
void layouts(intptr_t *out) {
    out[0] = sizeof(ucontext_t);
    out[1] = offsetof(ucontext_t, uc_link);
    out[2] = offsetof(ucontext_t, uc_stack.ss_sp);
    out[3] = offsetof(ucontext_t, uc_stack.ss_size);
    out[4] = sizeof(struct sigaction);
    out[5] = offsetof(struct sigaction, sa_flags);
    out[6] = offsetof(siginfo_t, si_addr);
}
