# Behind x64-find.s. On arrival: rax = the function's name, r11 = where its address goes; the arguments of the call; rsp + 8 is 16-byte aligned.
resolve:
    push r11
    push rdi
    push rsi
    push rdx
    push rcx
    push r8
    push r9
    mov rsi, rax
    call lookup
    pop r9
    pop r8
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    pop r11
    mov [r11], rax
    jmp rax                             # A tail call: the caller never knows.

# On arrival: rsi = a function's name. Gives its address, or 0. Before glibc 2.36 dlsym(RTLD_NEXT) gives the oldest version of a function: for condition variables that is another one.
lookup:
    push rsi
    or rdi, -1                          # RTLD_NEXT: whoever comes after this library.
    lea rdx, [rip + text_version]
    call [rip + DlVSym]
    pop rsi
    test rax, rax
    jne lookup.found
    or rdi, -1                          # It has no such version: the default one.
    jmp [rip + DlSym]
lookup.found:
    ret
