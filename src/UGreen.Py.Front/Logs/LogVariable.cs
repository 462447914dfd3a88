namespace UGreen.Py.Front.Logs;

/// <summary>What a piece of a <see cref="LogFormat"/> stands for. Names are uWSGI's in lower case, see <see cref="LogFormat.Names"/>.</summary>
internal enum LogVariable : byte
{
    /// <summary>Text of the format's own.</summary>
    Literal,

    /// <summary>Set by <c>uwsgi.set_logvar()</c>.</summary>
    LogVar,

    /// <summary><c>var.NAME</c>.</summary>
    Var,

    Addr,

    // :: Texts
    Uri,
    Method,
    User,
    Host,
    Proto,
    UAgent,
    Referer,
    Aborted,

    // :: Times
    LTime,
    FTime,
    CTime,

    // :: Numbers
    Time,
    TmSecs,
    TMicros,
    Epoch,
    Secs,
    MSecs,
    Micros,
    Status,
    RSize,
    HSize,
    Size,
    Cl,
    Pid,
    Wid,
    Core,
    Switches,
    Vars,
    PktSize,
    Headers,
    Modifier1,
    Modifier2,
    Vsz,
    Rss,
    VszM,
    RssM,
    WErr,
    RErr,
    IoErr,
}
