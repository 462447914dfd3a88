using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("UGreen.Py.Hub.Tests")]
