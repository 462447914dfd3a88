# Behind x64-find.s. On arrival: rax = the function's name, r11 = where its address goes; the arguments of the call; rsp + 8 is 16-byte aligned.
resolve:
    push r11
    push rdi
    push rsi
    push rdx
    push rcx
    push r8
    push r9
    or rdi, -1                          # RTLD_NEXT: whoever comes after this library.
    mov rsi, rax
    call [rip + DlSym]
    pop r9
    pop r8
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    pop r11
    mov [r11], rax
    jmp rax                             # A tail call: the caller never knows.
