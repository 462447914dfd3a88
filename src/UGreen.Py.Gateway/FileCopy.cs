using System.Globalization;
using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;

namespace UGreen.Py.Gateway;

/// <summary>
/// Copies a part of a file into a response: the bytes go from the kernel's page cache straight into the memory of the response's pipe. At most one block is in memory per
/// response, because each is flushed and the flush does not finish while the client is slow.
/// </summary>
public static class FileCopy
{
    // What the fronts' pipes take before they hold the writer back. A little less than 64 KiB, so that the buffer, together with the frame of a chunk that may lie
    // around it, still fits into a block of 64 KiB.
    private const int BlockBytes = (64 * 1024) - 64;

    /// <summary>
    /// Copies and flushes until all is out, the client has gone or the file fails; never throws for either. Call it on a pool thread: reading from a slow disk blocks
    /// the thread (Linux has no other reads for regular files; an asynchronous read would block another thread of the same pool).
    /// </summary>
    /// <param name="output">The response; the caller must not touch it meanwhile.</param>
    /// <param name="file">A regular file. It stays open, and its position where it is.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="length">How many bytes; 0 only flushes (the head may be waiting).</param>
    public static async Task<FileCopied> RunAsync(PipeWriter output, SafeFileHandle file, long offset, long length)
    {
        ArgumentNullException.ThrowIfNull(output);
        var sent = 0L;
        do
        {
            int count;
            try
            {
                count = Read(output, file, offset + sent, length - sent);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return new FileCopied(sent, FileCopyEnd.FileFailed, error.Message);
            }

            if (count == 0 && sent < length)
                return new FileCopied(sent, FileCopyEnd.FileFailed, string.Create(CultureInfo.InvariantCulture, $"the file ended {length - sent} bytes too early"));
            output.Advance(count);
            sent += count;
            try
            {
                var flush = await FlushAsync(output).ConfigureAwait(false);
                if (flush.IsCompleted || flush.IsCanceled) return new FileCopied(sent, FileCopyEnd.ClientGone);
            }
            catch (Exception error) when (ClientFault.Is(error))
            {
                return new FileCopied(sent, FileCopyEnd.ClientGone);
            }
        }
        while (sent < length);
        return new FileCopied(sent, FileCopyEnd.Done);
    }

    /// <summary>Flushes, and goes on on a pool thread: the end of a wait comes on the front's I/O thread, where no disk may be waited for.</summary>
    public static async ValueTask<FlushResult> FlushAsync(PipeWriter output, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        var flushing = output.FlushAsync(cancellation);
        if (flushing.IsCompleted) return await flushing.ConfigureAwait(false);
        try
        {
            return await flushing.ConfigureAwait(false);
        }
        finally
        {
            await Task.Yield();
        }
    }

    private static int Read(PipeWriter output, SafeFileHandle file, long offset, long left)
    {
        if (left == 0) return 0;
        var wanted = (int)Math.Min(left, BlockBytes);
        var memory = output.GetMemory(wanted);
        return RandomAccess.Read(file, memory.Span[..wanted], offset);
    }
}
