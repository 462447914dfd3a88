namespace UGreen.Py.Switching;

/// <summary>How many green stacks a worker has, and how large they are.</summary>
/// <param name="Cores">Request cores: green threads that run requests. Numbered from 0.</param>
/// <param name="StackPages">Usable pages of 4 KiB of each of them.</param>
/// <param name="SpawnCores">Spawn cores: green threads that the application starts. Numbered after the request cores.</param>
/// <param name="SpawnPages">Usable pages of 4 KiB of each of them.</param>
public readonly record struct StackSizes(int Cores, int StackPages, int SpawnCores = 0, int SpawnPages = 0);
