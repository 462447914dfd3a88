# The SIGSEGV handler of OverflowReport. X64OverflowHandler emits exactly these instructions; a test compares. Names after rip are constants of OverflowData.
# It runs on the alternate signal stack and touches no memory but its data page. An overflow is told, and then the signal gets its default action, so that the
# faulting instruction, which the kernel runs again, ends the process. Any other fault goes to the handler that was there before, with registers and stack as if
# the kernel had called that one. All general registers of the interrupted code are saved by the kernel, so the ones that
# a called function may change are free here; rdi, rsi and rdx are the old handler's arguments and are kept in r8, r9, r10.

# void handler(int signal, siginfo_t *info, void *context)
handler:
    mov rax, [rsi + FaultAddress]       # si_addr
    sub rax, [rip + Low]
    cmp rax, [rip + RegionBytes]
    jae spawned                         # Not in the zone of request stacks.
    mov r8, rdi
    mov r9, rsi
    mov r10, rdx
    xor edx, edx
    div qword ptr [rip + Stride]        # rax = which guard and stack, rdx = where in it; a guard comes first.
    cmp rdx, [rip + GuardBytes]
    jae restore                         # In a stack proper, for example an attempt to execute it: no overflow.
    cmp rax, [rip + Cores]
    je main                             # The guard above the last stack is where the main stack ends.
    lea rsi, [rip + GreenText]
    mov r8, [rip + GreenBytes]
    lea rdi, [rip + LastDigit]
    jmp number
spawned:
    mov rax, [rsi + FaultAddress]
    sub rax, [rip + SpawnLow]
    cmp rax, [rip + SpawnRegionBytes]
    jae old                             # In neither zone: a null reference in C#, or somebody else's fault.
    mov r8, rdi
    mov r9, rsi
    mov r10, rdx
    xor edx, edx
    div qword ptr [rip + SpawnStride]
    cmp rdx, [rip + GuardBytes]
    jae restore
    sub rax, [rip + MinusCores]         # Spawn cores are numbered after the request cores.
    lea rsi, [rip + SpawnText]
    mov r8, [rip + SpawnBytes]
    lea rdi, [rip + SpawnLastDigit]
number:
    mov ecx, Ten                        # The guard below a stack has the number of its core: write it into the text, last digit first.
digit:
    xor edx, edx
    div rcx
    add rdx, DigitZero
    mov [rdi], dl
    dec rdi
    test rax, rax
    jne digit                           # The text was prepared with zeros in front.
    mov rdx, r8
    jmp write
restore:
    mov rdi, r8
    mov rsi, r9
    mov rdx, r10
old:
    jmp [rip + OldHandler]              # Its ret goes to the kernel's restorer, as ours would have.
main:
    lea rsi, [rip + MainText]
    mov rdx, [rip + MainBytes]
write:
    mov edi, StandardError
    mov eax, WriteCall
    syscall                             # Changes rax, rcx and r11 only. If it fails there is nobody to tell.
    mov rdi, [rip + TellFd]             # The same text for a master; -1, which fails, where there is none.
    mov eax, WriteCall
    syscall
    mov edi, SegvSignal
    lea rsi, [rip + DefaultAction]      # SIG_DFL. No handler that allocates may run now: the code that overflowed may hold malloc's lock.
    xor edx, edx                        # The old action is not wanted.
    mov eax, MaskBytes
    mov r10, rax
    mov eax, ActionCall
    syscall
    ret                                 # To the kernel's restorer, and from there to the same fault, which now ends the process.
