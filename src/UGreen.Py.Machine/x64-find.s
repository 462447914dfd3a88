# Where real_NAME points at first: a call that comes before main looks its function up.
NAME.find:
    lea rax, [rip + text_NAME]
    lea r11, [rip + real_NAME]
    jmp resolve
