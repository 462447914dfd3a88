using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("UGreen.Py.Server.Tests")]
