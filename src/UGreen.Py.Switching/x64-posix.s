# The posix switch, x86-64 System V: the C library's swapcontext does the work. X64PosixTrampoline emits exactly these instructions; a test compares.
# Names in square brackets are constants: after a register those of CoreRecordLayout, after rip those of TrampolineData.
# There is no resume here: C# sets the cell and calls swapcontext(hub, green) itself (PosixSwitch). A GreenSp that is not 0 tells it that a hub call waits.

# PyObject *hubcall(self, args, nargs, kwnames). The checks are those of x64.s.
hubcall:
    mov rax, [rip + Cell]
    test rax, rax
    je slow
    mov r10, rsp
    sub r10, [rax + StackLow]
    cmp r10, [rax + StackBytes]
    jae slow
    mov [rax + Self], rdi
    mov [rax + Args], rsi
    mov [rax + NArgs], rdx
    mov [rax + KwNames], rcx
    push rbx                            # Kept for the caller; it also aligns the stack for the call below.
    mov rbx, rax                        # swapcontext keeps rbx, so the record is at hand when it returns.
    mov [rbx + GreenSp], rsp            # Says "parked"; swapcontext keeps the exact stack pointer in the context.
    xor ecx, ecx
    mov [rip + Cell], rcx               # No green thread runs.
    mov rdi, [rbx + GreenContext]       # Save here,
    mov rsi, [rbx + HubContext]         # go on there.
    call [rip + SwapContext]            # Returns when C# swaps back. It keeps registers, control words and the signal mask.
    mov rax, [rbx + Result]             # The result of the hub call,
    xor ecx, ecx
    mov [rbx + Result], rcx             # handed over once.
    pop rbx
    ret
slow:
    jmp [rip + Fallback]

# entry: the function given to makecontext. On arrival: rsp + 8 is 16-byte aligned; uc_link is 0, so it must not return.
entry:
    mov rbx, [rip + Cell]               # makecontext passes only ints; the running core is known anyway.
    xor ebp, ebp                        # Where frame walkers stop.
    push rbp                            # Aligns the stack for the calls below.
    xor ecx, ecx
    mov [rbx + Result], rcx             # As in x64.s: the first Resume takes whatever result was set.
    mov rdi, [rbx + Callable]
    call [rip + CallNoArgs]
    mov rcx, [rip + Child]              # As in x64.s.
    test rcx, rcx
    jne child
    mov [rbx + Result], rax
    xor ecx, ecx
    mov [rip + Cell], rcx
    mov rdi, [rbx + HubContext]
    call [rip + SetContext]             # Back into the swapcontext that C# called, for good; GreenSp is 0, so C# says "finished".
    ud2                                 # setcontext does not return.
child:
    jmp rcx
