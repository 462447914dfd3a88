# What runs instead of C# in a forked child (ForkedChild). X64ForkHandler emits exactly these instructions; a test compares. Names after rip are constants of ForkData.
# A child has one thread, and the CLR's others are gone with all that they had begun: C# may not run there, nor malloc be needed. System calls keep all registers but rax, rcx and r11.

# void child(void): called by the C library in the child of every fork(), before fork returns.
child:
    push rbx
    sub rsp, ActionBytes                # Room for a struct sigaction.
    lea rbx, [rip + Words]
word:
    mov rax, [rbx]
    test rax, rax
    je signals
    mov rcx, [rbx + Second]
    mov [rax], rcx                      # The trampoline's cell, fallback and end, and whatever others have asked for.
    add rbx, PairBytes
    jmp word
signals:
    mov ebx, LastSignal
signal:
    xor esi, esi                        # Nothing is changed yet.
    mov rdx, rsp
    mov rdi, rbx
    mov eax, MaskBytes
    mov r10, rax
    mov eax, ActionCall
    syscall
    mov r8, rsp
    mov rax, [r8]                       # The handler, or 0, or 1. (For a number that has none: the last one's, which does no harm.)
    lea r9, [rip + Handlers]
handler:
    mov rcx, [r9]
    test rcx, rcx
    je next                             # Python's own, or a library's: it stays.
    mov rdx, rax
    sub rdx, [r9]
    cmp rdx, [r9 + Second]
    jae other
    lea rsi, [rip + DefaultAction]      # .NET's or ours: SIG_DFL. .NET's writes into a pipe that the parent reads.
    xor edx, edx
    mov rdi, rbx
    mov eax, MaskBytes
    mov r10, rax
    mov eax, ActionCall
    syscall
    jmp next
other:
    add r9, PairBytes
    jmp handler
next:
    dec rbx
    jne signal
    mov rsi, [rip + Descriptors]
    mov rbx, [rsi]                      # The highest number that was ever ours, plus one.
    add rsi, Marks
    add rsi, rbx
descriptor:
    test rbx, rbx
    je done
    dec rbx
    dec rsi
    cmp [rsi], 0
    je descriptor
    mov rdi, rbx
    mov eax, CloseCall
    syscall
    jmp descriptor
done:
    add rsp, ActionBytes
    pop rbx

# void release(void): called in the parent after every fork(), and the end of what the child does. What has come meanwhile is delivered now, in the child to what its signals have become.
release:
    mov edi, SetMask
    lea rsi, [rip + SavedMask]
    xor edx, edx
    mov eax, MaskBytes
    mov r10, rax
    mov eax, MaskCall
    syscall
    ret

# void prepare(void): called before every fork(). A signal for the child, as Process.terminate() sends at once, must not find .NET's handler there: it writes into a pipe that the parent reads.
prepare:
    mov edi, SetMask
    lea rsi, [rip + AllSignals]
    lea rdx, [rip + SavedMask]
    mov eax, MaskBytes
    mov r10, rax
    mov eax, MaskCall
    syscall
    ret

# PyObject *refuse(self, args, nargs, kwnames): the trampoline's fallback in a child.
refuse:
    mov rdx, [rdi + Name]
    mov rdi, [rip + RuntimeError]
    lea rsi, [rip + RefusalText]
    xor eax, eax                        # No floating-point arguments follow.
    jmp [rip + Format]                  # Returns NULL, as we do.

# int pending(void *): Python's pending calls come by here, as one may have been on its way when the process forked.
pending:
    mov rax, [rip + Forked]
    test rax, rax
    jne drop
    jmp [rip + Pending]
drop:
    xor eax, eax
    ret

# void leaving(int status, void *): called by exit(), before the functions that .NET's libraries have registered for the end, which would wait for threads that are not there.
leaving:
    mov rax, [rip + Forked]
    test rax, rax
    je stay
    push rbx                            # Also aligns the stack.
    mov rbx, rdi
    xor edi, edi                        # All streams of C.
    call [rip + Flush]
exit:
    mov rdi, rbx
    mov eax, ExitCall
    syscall
    ud2
stay:
    ret

# Where a child ends that comes back to where the server would be. On any stack.
end:
    mov edi, StandardError
    lea rsi, [rip + EndText]
    mov rdx, [rip + EndBytes]
    mov eax, WriteCall
    syscall
    mov ebx, Failure
    jmp exit
