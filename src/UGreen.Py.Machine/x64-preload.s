# The preloaded library's beginning: it makes a program that has nothing to do with us run .NET (PreloadLibrary has it in C), or goes on with the program's own main. X64PreloadStart emits exactly these instructions; a test compares.
__libc_start_main:
    mov [rip + OwnMain], rdi
    lea rdi, [rip + main]               # Another main function.
    jmp [rip + real___libc_start_main]  # The C library's, with all other arguments as they came.

main:
    push rbx
    push rbp
    push r13
    push r14
    push r15                            # The stack is aligned.
    mov rbx, rdi                        # argc
    mov rbp, rsi                        # argv
    mov r13, rdx                        # envp
    lea r14, [rip + text_sem_wait]      # The first of the names, which lie one behind the other, an empty one at the end.
    lea r15, [rip + real_sem_wait]      # Where their addresses go.
next:
    cmp [r14], 0
    je resolved
    mov rsi, r14
    call lookup
    test rax, rax
    je pass                             # An older C library has it not: nobody calls it.
    mov [r15], rax
pass:
    add r15, 8
scan:                                   # To the next name.
    add r14, 1
    cmp [r14], 0
    jne scan
    add r14, 1
    jmp next
resolved:
    lea rdi, [rip + text_hostfxr]
    cmp [rdi], 0
    je own_main                         # Only the functions that wait are wanted.
    mov esi, 2                          # RTLD_NOW
    call [rip + DlOpen]
    test rax, rax
    je failed
    mov rdi, rax
    lea rsi, [rip + text_run]
    call [rip + DlSym]
    test rax, rax
    je failed
    lea edi, [rbx-1]                  # Without the script, which is the first argument.
    mov rsi, rbp
    add rsi, 8
    lea rdx, [rip + text_host]
    lea rcx, [rip + text_root]
    lea r8, [rip + text_application]
    call rax                            # hostfxr_main_startupinfo(argc, argv, host, root, application)
    pop r15
    pop r14
    pop r13
    pop rbp
    pop rbx
    ret

own_main:
    mov rdi, rbx
    mov rsi, rbp
    mov rdx, r13
    pop r15
    pop r14
    pop r13
    pop rbp
    pop rbx
    jmp [rip + OwnMain]                 # A tail call: to the C library it is as if we had never been there.

# One of dlopen and dlsym has failed. The stack is aligned: it is jumped to from where it is.
failed:
    call [rip + DlError]
    mov rdx, rax
    lea rsi, [rip + text_format]
    mov edi, 1                          # errx(1, "%s", dlerror())
    xor eax, eax                        # No floating-point arguments.
    call [rip + Errx]
    ud2
