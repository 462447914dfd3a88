# The signal handler of SignalRelay. X64SignalRelay emits exactly these instructions; a test compares. Names after rip are constants of RelayData.
# Python looks at a signal at once only when its handler ran on Python's main thread, which is the hub's; and only there can it interrupt a call that blocks. The kernel gives a
# signal of the process to any thread. So this handler passes it on, and calls Python's where it belongs. It may run on any stack of any thread; errno is not touched.

# void relay(int signal, siginfo_t *info, void *context)
relay:
    mov r8, rdi
    mov r9, rsi
    mov r10, rdx
    mov rsi, [rip + HubThread]
    test rsi, rsi
    je deliver                          # A forked child: there is no hub.
    mov eax, ThreadCall
    syscall
    cmp rax, [rip + HubThread]
    je hub
    mov rdi, [rip + Process]
    mov rdx, r8
    mov eax, KillCall                   # The hub thread has it from now on, and comes here again.
    syscall
    ret
hub:
    mov ecx, Yes
    mov [rip + Arrived], rcx
    mov rdi, [rip + WakeFd]             # The hub may be about to sleep, where no bytecode runs.
    lea rsi, [rip + Arrived]            # The number 1, of 8 bytes.
    mov edx, CounterBytes
    mov eax, WriteCall
    syscall                             # A counter that is full is a hub that has been woken.
deliver:
    mov rdi, r8
    mov rsi, r9
    mov rdx, r10
    mov rcx, rdi
    add rcx, rcx                        # Times 8.
    add rcx, rcx
    add rcx, rcx
    lea r9, [rip + Chains]
    add r9, rcx
    mov r9, [r9]
    lea r10, [rip + Handlers]
    add r10, rcx
    mov rax, [r10]
    test r9, r9
    jne both
    jmp rax
both:
    push rdi                            # Five words, which also align the stack.
    push rsi
    push rdx
    push r9
    push r8
    call rax
    pop r8
    pop rax
    pop rdx
    pop rsi
    pop rdi
    jmp rax                             # The server's own handler: it needs this signal, too.
