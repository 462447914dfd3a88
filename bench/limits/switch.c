/* The bare switch:   switch KIND CONTEXTS LINES TRIPS
 *
 * One main context resumes CONTEXTS others in turn, each of which switches back at once. Printed is one number: nanoseconds per round trip (main -> context -> main, two
 * switches), over about TRIPS of them.
 *
 * KIND    "swapcontext": the C library's, which also asks the kernel for the signal mask, once per switch
 *         "registers":   the six registers that a called function must keep, MXCSR and the x87 control word; what UGreen.Py's direct switch moves, and nothing else
 * LINES   cache lines of its own stack that a context writes in each turn, beside those that the switch itself needs: what code on a green thread does at the least
 *
 * The stacks have the size and the distance of those in bench/switch: 32 pages and a guard page.
 */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

enum { PAGE = 4096, STACK = 32 * PAGE, STRIDE = STACK + PAGE, LINE = 64, MOST_LINES = 64 };

struct context {
    void *stack_pointer;
    ucontext_t *posix; /* only for swapcontext: it is large, and must not lie between the stack pointers of the others */
};

static struct context *contexts, *running;
static long lines;
static void *main_stack_pointer;
static ucontext_t main_posix;

/* void switch_registers(void **save, void *load): the frame of UGreen.Py's x64.s. It ends in "ret", as there: each call has its return, which CPUs predict by that. */
void switch_registers(void **save, void *load);
__asm__(".globl switch_registers\n"
        ".type switch_registers, @function\n"
        "switch_registers:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    sub $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    add $8, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size switch_registers, . - switch_registers\n");

/* The lines lie below the frame of the loop, as the frames of functions that it would call. */
static inline void touch(volatile char *own)
{
    for (long line = 0; line < lines; line++) own[line * LINE]++;
}

static void loop_registers(void)
{
    char own[MOST_LINES * LINE] __attribute__((aligned(LINE)));
    memset(own, 0, sizeof own);
    for (;;) {
        touch(own);
        switch_registers(&running->stack_pointer, main_stack_pointer);
    }
}

static void loop_swapcontext(void)
{
    char own[MOST_LINES * LINE] __attribute__((aligned(LINE)));
    memset(own, 0, sizeof own);
    for (;;) {
        touch(own);
        swapcontext(running->posix, &main_posix);
    }
}

static void turn_registers(void)
{
    switch_registers(&main_stack_pointer, running->stack_pointer);
}

static void turn_swapcontext(void)
{
    swapcontext(&main_posix, running->posix);
}

/* A first frame, as if the loop's start had called switch_registers: control words, six registers, where to return, and 0 as the end of the stack. */
static void prepare_registers(struct context *context, char *stack)
{
    uint64_t *top = (uint64_t *)(stack + STACK) - 1;
    memset(top - 8, 0, 9 * sizeof *top);
    top[-1] = (uint64_t)loop_registers;
    __asm__("stmxcsr %0\n\tfnstcw %1" : "=m"(*((uint32_t *)(top - 8))), "=m"(*((uint16_t *)(top - 8) + 2)));
    context->stack_pointer = top - 8;
}

static void prepare_swapcontext(struct context *context, char *stack)
{
    context->posix = malloc(sizeof *context->posix);
    if (!context->posix || getcontext(context->posix)) abort();
    context->posix->uc_stack.ss_sp = stack;
    context->posix->uc_stack.ss_size = STACK;
    context->posix->uc_link = NULL;
    makecontext(context->posix, loop_swapcontext, 0);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Inlined into both callers, so that the kind is decided once and not in each turn. */
static inline __attribute__((always_inline)) void turns(long count, long each, void (*turn)(void))
{
    for (long round = 0; round < each; round++) {
        for (running = contexts; running < contexts + count; running++) turn();
    }
}

int main(int argc, char **argv)
{
    int posix = argc == 5 && !strcmp(argv[1], "swapcontext");
    long count = argc == 5 ? atol(argv[2]) : 0;
    if (count < 1 || (!posix && strcmp(argv[1], "registers"))) {
        fprintf(stderr, "usage: switch swapcontext|registers CONTEXTS LINES TRIPS\n");
        return 2;
    }
    lines = atol(argv[3]);
    long each = atol(argv[4]) / count;
    if (lines < 0 || lines > MOST_LINES || each < 1) {
        fprintf(stderr, "LINES is 0 to %d, TRIPS at least CONTEXTS\n", MOST_LINES);
        return 2;
    }

    char *stacks = mmap(NULL, count * STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    contexts = calloc(count, sizeof *contexts);
    if (stacks == MAP_FAILED || !contexts) {
        perror("memory for the stacks");
        return 1;
    }
    /* The kernel could make huge pages of some of them, as of no green stack: those have guard pages between them. */
    madvise(stacks, count * STRIDE, MADV_NOHUGEPAGE);
    for (long i = 0; i < count; i++) (posix ? prepare_swapcontext : prepare_registers)(&contexts[i], stacks + i * STRIDE + PAGE);

    /* Every context is inside its loop when the clock starts. */
    if (posix) turns(count, 2, turn_swapcontext);
    else turns(count, 2, turn_registers);
    int64_t begun = nanoseconds();
    if (posix) turns(count, each, turn_swapcontext);
    else turns(count, each, turn_registers);
    printf("%.2f\n", (double)(nanoseconds() - begun) / ((double)each * count));
    return 0;
}
