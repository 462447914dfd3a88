# The second door and the identity of the cores, x86-64 System V. X64WaitDoor emits exactly these instructions; a test compares. Names after rip are those of WaitDoorData.

# The second door. On arrival, by a jump from a stub on a green stack: the arguments of a C function, eax = its number, r11 = its address, r10 = what the stub's try gave.
# It returns to the caller of the C function, when the hub resumes this stack.
door:
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi                            # Arguments, the first at the lowest address.
    push r11                            # Real
    push r10
    mov r10, [rip + ErrnoAt]
    mov r10d, [r10]
    push r10
    push rax                            # Number
    mov rax, [rip + CellAt]
    mov rax, [rax]
    mov [rax + Wait], rsp                # The frame of WaitFrameLayout is complete.
    call leave                          # So that resume finds a return address on this stack.
    pop rcx                             # The number.
    pop r10                             # errno, as the hub has left it.
    mov r11, [rip + ErrnoAt]
    mov [r11], r10d                     # Last of all: nothing comes between this and the caller.
    add rsp, Rest                         # rax is the answer, by resume.
    ret

# As the second half of hubcall in x64.s. On arrival: rax = the running core.
leave:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    sub rsp, 8
    stmxcsr [rsp + Mxcsr]
    fnstcw [rsp + X87]
    mov [rax + GreenSp], rsp                 # The green stack is complete: the thread is parked.
    mov rsp, [rax + HubSp]                 # The switch. What follows runs on the main stack.
    mov rdx, [rip + CellAt]
    xor ecx, ecx
    mov [rdx], rcx                      # No green thread runs.
    mov eax, 2                          # resume returns 2: a call of the C library waits.
    ldmxcsr [rsp + Mxcsr]
    fldcw [rsp + X87]
    add rsp, 8
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

# PyObject *get_ident(module, unused)
get_ident:
    mov rax, [rip + CellAt]
    mov rax, [rax]
    test rax, rax
    je get_ident.own
    mov r10, rsp
    sub r10, [rax + StackLow]
    cmp r10, [rax + StackBytes]
    jae get_ident.own
    mov rdi, rax                        # The core's identity is the address of its record.
    jmp [rip + MakeNumber]
get_ident.own:
    jmp [rip + OwnIdent]

# The methods of RLock: each brings CPython's own.
rlock_0:
    mov r11, [rip + OwnMethods0]
    jmp rlock
rlock_1:
    mov r11, [rip + OwnMethods1]
    jmp rlock
rlock_2:
    mov r11, [rip + OwnMethods2]
    jmp rlock
rlock_3:
    mov r11, [rip + OwnMethods3]
    jmp rlock
rlock_4:
    mov r11, [rip + OwnMethods4]
    jmp rlock
rlock_5:
    mov r11, [rip + OwnMethods5]
    jmp rlock
rlock_6:
    mov r11, [rip + OwnMethods6]
    jmp rlock
rlock_7:
    mov r11, [rip + OwnMethods7]
    jmp rlock

# On arrival: rdi = the lock, r11 = CPython's own method, which compares the owner with the OS thread's identity.
rlock:
    mov rax, [rip + CellAt]
    mov rax, [rax]
    test rax, rax
    je rlock.own
    mov r10, rsp
    sub r10, [rax + StackLow]
    cmp r10, [rax + StackBytes]
    jae rlock.own
    push rbx
    mov rbx, rdi
    mov r10, [rip + OsThread]
    cmp rax, [rbx + 24]
    je rlock.hand_over                  # This core has the lock: CPython shall take it for the OS thread.
    cmp r10, [rbx + 24]
    jne rlock.call                      # Another core, another thread, or nobody has it.
    mov r10, [rip + MainStack]          # The main stack has it: CPython shall not take it for this core's.
rlock.hand_over:
    mov [rbx + 24], r10
rlock.call:
    call r11                            # It may wait, and other cores may run.
    mov rcx, [rbx + 24]
    mov r10, [rip + OsThread]
    cmp rcx, r10
    jne rlock.others                    # The OS thread: it is this core's now.
    mov rcx, [rip + CellAt]
    mov r10, [rcx]
    jmp rlock.hand_back
rlock.others:
    mov rdx, [rip + MainStack]
    cmp rcx, rdx
    jne rlock.done                      # Taken for the main stack before, and still its.
rlock.hand_back:
    mov [rbx + 24], r10
rlock.done:
    pop rbx
    ret
rlock.own:
    jmp r11

# Before fork(), and in the child: a child loses its core to the hub, but not its identity, as it may hold locks.
before_fork:
    mov rax, [rip + CellAt]
    mov rax, [rax]
    mov [rip + Forking], rax
    ret
after_fork:
    lea rax, [rip + Forking]
    mov [rip + CellAt], rax
    ret
