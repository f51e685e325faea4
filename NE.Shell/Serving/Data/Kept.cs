namespace NE.Shell.Serving.Data;

/// <summary>
/// What was read of some files, as long as they have not changed. A failure is believed for some seconds alone: what caused it, such as a server that does
/// not answer, changes no file.
/// </summary>
/// <param name="clock">For those seconds.</param>
internal sealed class Kept<T>(TimeProvider clock)
    where T : class
{
    private static readonly TimeSpan Passing = TimeSpan.FromSeconds(5);

    private string stamp = "";
    private T? value;
    private long? failed;

    /// <param name="now">Of the files; not empty.</param>
    /// <param name="read">Reads them; never throws.</param>
    /// <param name="isFailure">Whether what was read only says that it failed.</param>
    public T? Of(string now, Func<T?> read, Func<T?, bool> isFailure)
    {
        if (this.stamp != now || (this.failed is { } at && clock.GetElapsedTime(at) > Passing))
        {
            this.value = read();
            this.stamp = now;
            // After the read, which may have waited for long.
            this.failed = isFailure(this.value) ? clock.GetTimestamp() : null;
        }

        return this.value;
    }
}
