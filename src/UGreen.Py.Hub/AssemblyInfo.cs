using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("UGreen.Py.Bench")]
[assembly: InternalsVisibleTo("UGreen.Py.Hub.Tests")]
[assembly: InternalsVisibleTo("UGreen.Py.Wsgi.Tests")]
