# What the stubs of x64-stub.s share, and the two releases. X64Stubs emits exactly these instructions; a test compares. Names after rip are those of PreloadData; real_NAME is where the address of
# the C library's own function is.

# sem_post and pthread_mutex_unlock: on any thread. The release itself first; then, only if a green thread waits for any such lock, the address is noted for the hub.
sem_post:
    push rdi                            # The address is what is noted; the push aligns the stack, too.
    call [rip + real_sem_post]          # An atomic instruction of the C library, so the look below cannot come before it.
    pop rdi
    cmp [rip + SemWaiters], 0
    jne posted
    ret
pthread_mutex_unlock:
    mov eax, [rdi + 16]                 # Its kind.
    cmp eax, 1                          # PTHREAD_MUTEX_RECURSIVE
    jne pthread_mutex_unlock.plain
    mov eax, [rdi + 4]                  # How often its owner has it.
    cmp eax, 1
    jne pthread_mutex_unlock.plain
    xor eax, eax
    mov [rdi + 24], rax                 # No core has it any more. It is still locked, so nobody looks.
pthread_mutex_unlock.plain:
    cmp [rip + MutexWaiters], 0         # Green threads only wait for mutexes of the hub's own OS thread, so no other thread can miss one.
    jne pthread_mutex_unlock.told
    jmp [rip + real_pthread_mutex_unlock]
pthread_mutex_unlock.told:
    push rdi
    call [rip + real_pthread_mutex_unlock]
    pop rdi
posted:
    push rax                            # What the release returned.
    mov eax, 1
    lock xadd [rip + Tail], rax         # A place in the ring, nobody else's.
    mov rcx, rax
    shr rcx, 10                         # RingBits: the round through the ring,
    shl rcx, 48                         # RoundShift: above the address, so that the hub tells a place that is not written yet.
    or rdi, rcx
    and rax, 1023
    lea rdx, [rip + Ring]
    mov [rdx + rax*8], rdi
    xor edx, edx
    xchg [rip + Sleeping], rdx          # A full barrier: the hub that goes to sleep sees the tail, or this sees that it sleeps. Of many, one wakes it.
    test rdx, rdx
    je posted.done
    mov rdi, [rip + WakeFd]
    lea rsi, [rip + One]
    mov edx, 8
    call [rip + real_write]
posted.done:
    pop rax
    ret

# In a forked child, before fork() returns there: nothing waits green, and nobody waits.
ugreen_forked:
    xor eax, eax
    mov [rip + RegionBytes], rax
    mov [rip + SemWaiters], rax
    mov [rip + MutexWaiters], rax
    ret

# Into the hub. On arrival here and in all that follows: the arguments as the caller gave them, eax = the function's number, r11 = where the address of the C library's function is.
blocked:
    mov r11, [r11]
    or r10, -1                          # Nothing was tried that gave something.
    jmp [rip + Door]

# With MSG_DONTWAIT in the third argument.
try_thirdflags:
    push r11                            # Where the address of the C library's function is, the number, and the six arguments: the call as it was made.
    push rax
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    sub rsp, 8                          # A word of room; now rsp is 16-byte aligned, as a call needs.
    or rdx, 64
    call [r11]
    jmp after_flags

# In the fourth.
try_flags:
    test ecx, 256                       # MSG_WAITALL: what is there now is not enough.
    jne blocked
    push r11                            # Where the address of the C library's function is, the number, and the six arguments: the call as it was made.
    push rax
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    sub rsp, 8                          # A word of room; now rsp is 16-byte aligned, as a call needs.
    or rcx, 64
    call [r11]
after_flags:
    cmp rax, -1
    jne answered
    mov rcx, [rip + ErrnoAt]
    cmp [rcx], 11                       # EAGAIN: it would wait, or does not block at all, which the hub finds out.
    jne answered
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop r8
    pop r9
    pop rax
    pop r11
    jmp blocked
answered:
    add rsp, 72                         # rax and errno are the answer.
    ret

# The same for a send, which is not done before all is sent.
try_send:
    push r11                            # Where the address of the C library's function is, the number, and the six arguments: the call as it was made.
    push rax
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    sub rsp, 8                          # A word of room; now rsp is 16-byte aligned, as a call needs.
    or rcx, 64
    call [r11]
    mov rcx, [rsp + 24]                 # How much there was to send.
    cmp rax, rcx
    je answered
    cmp rax, -1
    jne try_send.partly
    mov rcx, [rip + ErrnoAt]
    cmp [rcx], 11
    jne answered
try_send.partly:
    mov r10, rax                        # How much was sent, or -1.
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop r8
    pop r9
    pop rax
    pop r11
    mov r11, [r11]
    jmp [rip + Door]

# poll, then epoll_wait: with no time.
try_poll:
    push r11                            # Where the address of the C library's function is, the number, and the six arguments: the call as it was made.
    push rax
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    sub rsp, 8                          # A word of room; now rsp is 16-byte aligned, as a call needs.
    xor edx, edx                        # The time-out.
    call [r11]
    test eax, eax
    jne answered                        # Something is ready, or wrong.
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop r8
    pop r9
    pop rax
    pop r11
    test edx, edx
    jne blocked                         # The caller has time.
    xor eax, eax                        # It has none: nothing is ready.
    ret

try_epollwait:
    push r11                            # Where the address of the C library's function is, the number, and the six arguments: the call as it was made.
    push rax
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    sub rsp, 8                          # A word of room; now rsp is 16-byte aligned, as a call needs.
    xor ecx, ecx                        # The time-out.
    call [r11]
    test eax, eax
    jne answered                        # Something is ready, or wrong.
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop r8
    pop r9
    pop rax
    pop r11
    test ecx, ecx
    jne blocked                         # The caller has time.
    xor eax, eax                        # It has none: nothing is ready.
    ret

# read and write: poll() first.
try_readable:
    push r11                            # Where the address of the C library's function is, the number, and the six arguments: the call as it was made.
    push rax
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    sub rsp, 8                          # A word of room; now rsp is 16-byte aligned, as a call needs.
    mov [rsp], edi                      # struct pollfd in the room: the descriptor,
    mov eax, 1                          # and what is asked for.
    mov [rsp + 4], eax
    mov rdi, rsp
    mov esi, 1
    xor edx, edx                        # Without waiting.
    call [rip + real_poll]
    mov r10, rax                        # add changes the flags.
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop r8
    pop r9
    pop rax
    pop r11
    test r10, r10
    je blocked                          # Nothing.
try_readable.real:
    jmp [r11]                           # Something, or an error, which the call itself tells.

try_writable:
    lea r10d, [rdi-1]
    cmp r10d, 1
    jbe try_writable.real               # Standard output and error wait as ever.
    cmp rdx, 4096                       # More than a pipe takes in one piece would wait in the middle.
    ja blocked
    push r11                            # Where the address of the C library's function is, the number, and the six arguments: the call as it was made.
    push rax
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    sub rsp, 8                          # A word of room; now rsp is 16-byte aligned, as a call needs.
    mov [rsp], edi                      # struct pollfd in the room: the descriptor,
    mov eax, 4                          # and what is asked for.
    mov [rsp + 4], eax
    mov rdi, rsp
    mov esi, 1
    xor edx, edx                        # Without waiting.
    call [rip + real_poll]
    mov r10, rax                        # add changes the flags.
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop r8
    pop r9
    pop rax
    pop r11
    test r10, r10
    je blocked                          # Nothing.
try_writable.real:
    jmp [r11]                           # Something, or an error, which the call itself tells.

# pthread_mutex_lock: waits green for a mutex that another green thread has, which is one of this OS thread. For all others it waits as ever.
try_mutex:
    mov r10d, [rdi + 16]                # Its kind.
    cmp r10d, 1                         # PTHREAD_MUTEX_RECURSIVE
    je try_recursive
    push rdi
    push r11
    push rax
    call [rip + real_pthread_mutex_trylock]
    mov rcx, rax
    pop rax
    pop r11
    pop rdi
    cmp ecx, 16                         # EBUSY
    je try_mutex.busy
    mov rax, rcx
    ret
try_mutex.busy:
    mov r10d, [rdi + 8]                 # The owner, as the kernel numbers threads.
    cmp r10, [rip + HubThread]
    je blocked
    jmp [r11]

# A recursive mutex: all green threads are one owner to it, so the core that has it is noted in a word that only robust mutexes use.
try_recursive:
    mov rcx, [rip + CellAt]
    mov rcx, [rcx]                      # The running core.
    mov r10d, [rdi + 8]
    cmp r10, [rip + HubThread]
    jne try_recursive.take              # Nobody's, or another thread's: that is the C library's to find out.
    mov r10, [rdi + 24]
    cmp r10, rcx
    je try_recursive.take               # This core's own.
    test r10, r10
    jne blocked                         # Another core's. Without a note it was taken in a way that has no stub, and nothing is known.
try_recursive.take:
    push rdi                            # The push aligns the stack, too.
    call [r11]
    pop rdi
    test eax, eax
    jne try_recursive.done
    mov rcx, [rip + CellAt]
    mov rcx, [rcx]
    mov [rdi + 24], rcx
try_recursive.done:
    ret
