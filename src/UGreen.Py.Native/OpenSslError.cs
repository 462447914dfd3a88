namespace UGreen.Py.Native;

/// <summary>One error of OpenSSL's: what it was, and where. Texts are C strings with their NUL; null: there is none.</summary>
internal readonly record struct OpenSslError(int Library, int Reason, byte[]? File, int Line, byte[]? Function, byte[]? Data);
