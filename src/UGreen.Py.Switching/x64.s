# The direct switch, x86-64 System V. X64Trampoline emits exactly these instructions; a test disassembles its bytes and compares them with this file.
# Names in square brackets are constants: after a register those of CoreRecordLayout or SwitchFrameLayout, after rip those of TrampolineData.
# SwitchContract.md has the pictures of the stacks. All of these change together.

# int resume(core): called by C# on the main stack. Goes on with the green thread and returns when it traps (1) or has ended (0).
# On arrival: rdi = the record of the core; rsp = the main stack; GreenSp of the record points at a switch frame on the green stack.
resume:
    push rbp                            # Kept first, so that it lies directly below the return address and forms a frame record.
    push rbx                            # The other five registers that a called function must give back.
    push r12
    push r13
    push r14
    push r15
    sub rsp, ControlBytes               # Room for the two control words, which are kept like registers.
    stmxcsr [rsp + Mxcsr]               # SSE rounding mode and exception masks of the main stack.
    fnstcw [rsp + X87]                  # The same for the x87 unit; "n": without waiting for pending exceptions.
    mov [rip + Cell], rdi               # From here on a hub call belongs to this core.
    mov [rdi + HubSp], rsp              # The main stack is complete: its frame is found again through the record.
    mov rsp, [rdi + GreenSp]            # The switch. What follows runs on the green stack.
    mov rax, [rdi + Result]             # What the trap returns in the green thread; a fresh one ignores it.
    xor ecx, ecx
    mov [rdi + GreenSp], rcx            # A running core has no saved stack: resuming it again is refused.
    mov [rdi + Result], rcx             # The reference was handed over; a second use would be a double free.
    ldmxcsr [rsp + Mxcsr]               # The green thread's own control words.
    fldcw [rsp + X87]
    add rsp, ControlBytes
    pop r15                             # The registers as they were at the trap; zeros on a fresh stack.
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret                                 # To the caller of hubcall, or to entry. Not "pop; jmp": each call has its ret, measured in ADR 0003.

# PyObject *hubcall(self, args, nargs, kwnames): METH_FASTCALL | METH_KEYWORDS, called by CPython on any stack of any thread, with the GIL held.
# On arrival: rdi, rsi, rdx, rcx = the arguments; rsp + 8 is 16-byte aligned.
hubcall:
    mov rax, [rip + Cell]               # Which core runs? On a foreign thread this may be out of date, which the range check catches.
    test rax, rax
    je slow                             # None: called on the main stack, or on a foreign thread while the hub is at work.
    mov r10, rsp
    sub r10, [rax + StackLow]           # Distance above the low end; below it the subtraction wraps to a huge number.
    cmp r10, [rax + StackBytes]
    jae slow                            # Not on the running core's stack: a foreign thread.
    mov [rax + Self], rdi               # The four arguments are what the hub sees of the call.
    mov [rax + Args], rsi
    mov [rax + NArgs], rdx
    mov [rax + KwNames], rcx
    push rbp                            # The same frame as in resume, now on the green stack.
    push rbx
    push r12
    push r13
    push r14
    push r15
    sub rsp, ControlBytes
    stmxcsr [rsp + Mxcsr]
    fnstcw [rsp + X87]
    mov [rax + GreenSp], rsp            # The green stack is complete: the thread is parked.
    mov rsp, [rax + HubSp]              # The switch. What follows runs on the main stack.
    xor ecx, ecx
    mov [rip + Cell], rcx               # No green thread runs.
    mov eax, 1                          # resume returns 1: a hub call is waiting.
    ldmxcsr [rsp + Mxcsr]               # The main stack's control words, whatever the green thread did to them.
    fldcw [rsp + X87]
    add rsp, ControlBytes
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret                                 # To the C# that called resume.
slow:
    jmp [rip + Fallback]                # A tail call: arguments and return address are untouched.

# entry: first code on a fresh stack; reached by the ret of resume.
# On arrival: rdi = the record of the core; rsp is 16-byte aligned and points at the end record; rbp = 0; the control words are the initial ones.
entry:
    mov rbx, rdi                        # The record must survive the call.
    mov rdi, [rbx + Callable]
    call [rip + CallNoArgs]             # The whole life of the green thread.
    mov rcx, [rip + Child]              # 0, except in a forked child, where there is no hub to return to.
    test rcx, rcx
    jne child
    mov [rbx + Result], rax             # What it returned; 0 with an exception set.
    mov rsp, [rbx + HubSp]              # The switch. GreenSp stays 0: nothing is left to resume here.
    xor eax, eax                        # resume returns 0: finished.
    mov [rip + Cell], rax               # No green thread runs.
    ldmxcsr [rsp + Mxcsr]
    fldcw [rsp + X87]
    add rsp, ControlBytes
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret                                 # To the C# that called resume.
child:
    jmp rcx                             # It does not return (x64-fork.s).
