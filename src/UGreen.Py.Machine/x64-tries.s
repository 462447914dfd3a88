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
    mov [rip + ConditionWaiters], rax
    ret

# Into the hub. On arrival here and in all that follows: the arguments as the caller gave them, eax = the function's number, r11 = where the address of the C library's function is.
blocked:
    or r10, -1                          # Nothing was tried that gave something.
to_door:                                # r10 = what the try gave.
    mov r11, [r11]
    jmp [rip + Door]

# With MSG_DONTWAIT in the third argument.
try_thirdflags:
    test edx, 256                       # MSG_WAITALL: what is there now is not enough.
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
    or rdx, 64
    call [r11]
    jmp after_flags

# In the fourth.
try_flags:
    test ecx, 256
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
    jmp to_door

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

# readv and the fortified read: poll() first.
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

# read: by what is known of the descriptor.
try_read:
    lea edi, [rdi]                      # An int: the upper half of the register is anybody's.
    cmp rdi, 4096                       # KnownFds
    jae try_readable
    lea r10, [rip + Kinds]
    add r10, rdi
    cmp [r10], 2                        # A pipe or a socket.
    je try_read.now
    cmp [r10], 0                        # Nobody has looked: the hub does.
    je blocked
    cmp [r10], 1                        # A file never waits for anybody.
    jne try_readable
    jmp [r11]
try_read.now:
    push r11
    push rax
    push rdx
    push rsi                            # struct iovec on the stack: the buffer and its bytes.
    mov rsi, rsp
    mov edx, 1
    or r10, -1                          # Where the descriptor is now.
    mov eax, 8                          # RWF_NOWAIT
    mov r9, rax
    mov eax, 327                        # preadv2, without the C library's wrapper.
    syscall
    mov r10, rax
    pop rsi
    pop rdx
    pop rax
    pop r11
    cmp r10, -4096
    ja try_read.refused                 # -errno
    mov rax, r10
    ret
try_read.refused:
    cmp r10, -11                        # EAGAIN
    je blocked
    cmp r10, -95                        # EOPNOTSUPP: what is known is out of date.
    je try_readable
failed_now:                             # The call is not made again to find its error: a socket's is taken away by the first that gets it.
    mov rax, r10
    neg eax
    mov rcx, [rip + ErrnoAt]
    mov [rcx], eax
    or rax, -1
    ret

# write: the same. What went out goes into the door with the call.
try_write:
    lea r10d, [rdi-1]
    cmp r10d, 1
    jbe writable.real                   # Standard output and error wait as ever.
    lea edi, [rdi]                      # An int: the upper half of the register is anybody's.
    cmp rdi, 4096                       # KnownFds
    jae writable
    lea r10, [rip + Kinds]
    add r10, rdi
    cmp [r10], 2                        # A pipe or a socket.
    je try_write.now
    cmp [r10], 0                        # Nobody has looked: the hub does.
    je blocked
    cmp [r10], 1                        # A file never waits for anybody.
    jne writable
    jmp [r11]
try_write.now:
    push r11
    push rax
    push rdx
    push rsi                            # struct iovec on the stack: the buffer and its bytes.
    mov rsi, rsp
    mov edx, 1
    or r10, -1                          # Where the descriptor is now.
    mov eax, 8                          # RWF_NOWAIT
    mov r9, rax
    mov eax, 328                        # pwritev2, without the C library's wrapper.
    syscall
    mov r10, rax
    pop rsi
    pop rdx
    pop rax
    pop r11
    cmp r10, -4096
    ja try_write.refused
    cmp r10, rdx                        # All of it?
    jne to_door
    mov rax, r10
    ret
try_write.refused:
    cmp r10, -11
    je blocked
    cmp r10, -95
    jne failed_now
writable:
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
writable.real:
    jmp [r11]                           # Something, or an error, which the call itself tells.

# Whatever else closes a descriptor, or puts another in its place, on any thread: what is known of it is forgotten first.
dup2:
    lea esi, [rsi]
    cmp rsi, 4096                       # KnownFds
    jae dup2.forgotten
    lea r10, [rip + Kinds]
    add r10, rsi
    mov [r10], 0
dup2.forgotten:
    jmp [rip + real_dup2]
dup3:
    lea esi, [rsi]
    cmp rsi, 4096                       # KnownFds
    jae dup3.forgotten
    lea r10, [rip + Kinds]
    add r10, rsi
    mov [r10], 0
dup3.forgotten:
    jmp [rip + real_dup3]
close_range:
    push rdi
    lea rdi, [rip + Kinds]
    mov ecx, 512                        # KnownFds, eight at a time
    xor eax, eax
    rep stosq [rdi]
    pop rdi
    jmp [rip + real_close_range]
closefrom:
    push rdi
    lea rdi, [rip + Kinds]
    mov ecx, 512                        # KnownFds, eight at a time
    xor eax, eax
    rep stosq [rdi]
    pop rdi
    jmp [rip + real_closefrom]
fclose:
    push rdi
    call [rip + real_fileno]            # Its close() is the C library's call to itself.
    pop rdi
    lea eax, [rax]
    cmp rax, 4096                       # KnownFds
    jae fclose.forgotten
    lea r10, [rip + Kinds]
    add r10, rax
    mov [r10], 0
fclose.forgotten:
    jmp [rip + real_fclose]

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

# fcntl: what waits is only F_SETLKW and F_OFD_SETLKW.
try_command:
    cmp esi, 7
    je blocked
    cmp esi, 38
    je blocked
    xor eax, eax                        # It has a variable number of arguments, and none of them in a vector register.
    jmp [r11]

# sched_yield: the others run. Not when the .NET runtime asks for it; Python does in os.sched_yield().
try_yield:
    push r11
    lea r10, [rip + ApartRuntime]
try_yield.next:
    mov r11, [rsp + 8]                  # Where the caller goes on.
    sub r11, [r10]
    cmp r11, [r10 + 8]
    jb try_yield.apart
    add r10, 16
    cmp [r10], 0
    jne try_yield.next
    pop r11
    jmp blocked
try_yield.apart:
    pop r11
    jmp [r11]

# pthread_cond_wait and its kin. Not those of Python's own code (the GIL) and of the .NET runtime (which waits for the garbage collector at the beginning of C# that C calls): the hub stands on them.
try_condition:
    push r11
    lea r10, [rip + Apart]
try_condition.next:
    mov r11, [rsp + 8]                  # Where the caller goes on.
    sub r11, [r10]
    cmp r11, [r10 + 8]
    jb try_condition.apart
    add r10, 16
    cmp [r10], 0
    jne try_condition.next
    pop r11
    push rsi                            # The mutex; now rsp is 16-byte aligned.
    mov r11, [r11]
    or r10, -1
    call [rip + Door]                   # The hub lets go of the mutex and waits; it gives the answer, or an error below 0 when it has not let go of the mutex.
    pop rdi
    test eax, eax
    js try_condition.refused
    push rax
    call pthread_mutex_lock             # Like any caller's: it waits green, or as ever with the GIL as the caller had it.
    pop rcx
    test eax, eax
    jne try_condition.done              # The mutex's error goes before the answer.
    mov rax, rcx
try_condition.done:
    ret
try_condition.refused:
    neg eax
    ret
try_condition.apart:
    pop r11
    jmp [r11]

# On any thread: the signal itself, and then the hub's. A green thread is counted before it lets go of the mutex, so whoever has had the mutex since sees that it waits.
pthread_cond_signal:
    cmp [rip + ConditionWaiters], 0
    jne pthread_cond_signal.told
    jmp [rip + real_pthread_cond_signal]
pthread_cond_signal.told:
    push rdi
    call [rip + real_pthread_cond_signal]
    pop rdi
    jmp posted
pthread_cond_broadcast:
    cmp [rip + ConditionWaiters], 0
    jne pthread_cond_broadcast.told
    jmp [rip + real_pthread_cond_broadcast]
pthread_cond_broadcast.told:
    push rdi
    call [rip + real_pthread_cond_broadcast]
    pop rdi
    or rdi, 1                           # All of them: addresses of condition variables are even.
    jmp posted

# sendmsg with MSG_DONTWAIT: as try_send. Of a message in one piece it is plain whether all of it is sent; of others the hub finds out.
try_sendmessage:
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
    cmp rax, -1
    jne try_sendmessage.sent
    mov rcx, [rip + ErrnoAt]
    cmp [rcx], 11
    jne answered
    jmp try_sendmessage.partly
try_sendmessage.sent:
    mov rcx, [rsp + 16]                 # The struct msghdr,
    mov rdx, [rcx + 24]                 # its msg_iovlen,
    cmp rdx, 1
    jne try_sendmessage.partly
    mov rcx, [rcx + 16]                 # and its msg_iov.
    cmp rax, [rcx + 8]
    je answered
try_sendmessage.partly:
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
    jmp to_door

# On any thread: whoever waits for the descriptor hears of it before the number can mean another file.
close:
    lea edi, [rdi]
    cmp rdi, 4096                       # KnownFds
    jae close.forgotten
    lea r10, [rip + Kinds]
    add r10, rdi
    mov [r10], 0                        # What it is is forgotten.
close.forgotten:
    lea eax, [rdi]
    cmp rax, 65536                      # WaitedFds
    jae close.real
    bt [rip + Waited], eax              # Nobody has waited for it since it was opened: the carry is clear.
    jae close.real
    mov eax, 39                         # getpid(): the memory may be shared with a child of vfork(), which closes descriptors of its own.
    syscall
    cmp rax, [rip + Process]
    jne close.real
    lea eax, [rdi]
    lock btr [rip + Waited], eax
    jae close.real
    push rdi
    mov rdi, rax
    shl rdi, 1
    or rdi, 1                           # No address: those are higher. Never 0, which a place in the ring has that is not written.
    call posted
    pop rdi
close.real:
    jmp [rip + real_close]
