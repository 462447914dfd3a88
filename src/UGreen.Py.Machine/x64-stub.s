# One function that stands before the C library's. X64Stubs emits these instructions for each of BlockingCall.All; NAME, its NUMBER and what is tried FIRST differ (x64-tries.s).
# On arrival: the arguments of the function, on any stack of any thread. r10 and r11 are free for a function to use.
NAME:
    mov r10, rsp
    sub r10, [rip + RegionLow]          # Distance above the lowest green stack; below it the subtraction wraps to a huge number.
    cmp r10, [rip + RegionBytes]        # 0 until the hub serves, and in a forked child.
    jae NAME.real
    mov r10, [rip + CellAt]
    cmp [r10], 0                        # The hub is hidden: C# runs on this stack, which must not be switched away from.
    je NAME.real
    lea r11, [rip + real_NAME]
    mov eax, NUMBER
    jmp FIRST
NAME.real:
    jmp [rip + real_NAME]
