namespace NE.Actors.MuJoCo;

/// <summary>Lets one text through per interval and tells with the next one how many were left out.</summary>
internal sealed class WarningThrottle(long intervalMilliseconds)
{
    private readonly Lock gate = new();
    private long? last;
    private long leftOut;

    /// <summary>The text to log, or null when this one is left out.</summary>
    /// <param name="text">The warning.</param>
    /// <param name="now">Milliseconds of any clock that does not run backwards.</param>
    internal string? Pass(string text, long now)
    {
        lock (this.gate)
        {
            if (this.last is { } before && now - before < intervalMilliseconds)
            {
                this.leftOut++;
                return null;
            }

            var passed = this.leftOut == 0 ? text : $"{text} ({this.leftOut} more warnings since the last one)";
            this.last = now;
            this.leftOut = 0;
            return passed;
        }
    }
}
