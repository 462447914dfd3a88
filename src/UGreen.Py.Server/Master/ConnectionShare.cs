using UGreen.Py.Front.Sockets;

namespace UGreen.Py.Server.Master;

/// <summary>The connections of each worker, side by side in the scoreboard.</summary>
internal sealed class ConnectionShare(Scoreboard board, int row) : IConnectionShare
{
    public bool IsAhead => board.Connections(row) > board.FewestConnections(except: row);

    public void Opened() => board.AddConnections(row, 1);

    public void Closed() => board.AddConnections(row, -1);
}
