using System.Globalization;

namespace NE.Actors.Storage;

/// <summary>What a provoked fault does at its place.</summary>
public enum FaultKind
{
    /// <summary>The process dies as by kill -9.</summary>
    Kill,

    /// <summary>The call fails: the device reports an error.</summary>
    Error,

    /// <summary>The call fails: the disk is full. Nothing was written.</summary>
    Full,

    /// <summary>Half is written, then the call fails.</summary>
    Short,

    /// <summary>Half is written, then the process dies.</summary>
    Torn,
}

/// <summary>
/// Faults for `ne torture`: compiled in, and off unless the shell sets a plan. Places are named where the storage writes, syncs and renames
/// (`SITE.write`, `SITE.sync`, `SITE.rename`), and along a commit and a recovery.
/// </summary>
public static class Faults
{
    private static readonly Lock Gate = new();
    private static Plan? plan;

    /// <summary>The environment variable that the shell takes the plan from.</summary>
    public const string Variable = "NE_FAULT";

    /// <summary>Whether there is a plan.</summary>
    internal static bool AreArmed => plan is not null;

    /// <summary>Sets the plan, `KIND@PLACE#N` or `KIND@PLACE#N+M`: the Nth time that the place is reached, and the M - 1 times after it.</summary>
    /// <exception cref="FormatException">The text is no plan.</exception>
    public static void Arm(string text)
    {
        var (kind, rest) = Split(text, '@');
        var (place, count) = Split(rest, '#');
        var (first, times) = count.Contains('+', StringComparison.Ordinal) ? Split(count, '+') : (count, "1");
        plan = new(
            Enum.TryParse<FaultKind>(kind, ignoreCase: true, out var parsed) ? parsed : throw Malformed(text),
            place,
            int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from) ? from : throw Malformed(text),
            int.TryParse(times, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : throw Malformed(text));

        (string, string) Split(string whole, char at) => whole.Split(at, 2) is [var left, var right] ? (left, right) : throw Malformed(text);
    }

    /// <summary>A place without a file: the process may die here.</summary>
    internal static void Point(string place) => Call(place, place);

    /// <summary>Before bytes are written; a fault that writes half of them does so through <paramref name="write"/>.</summary>
    /// <param name="site">Which kind of file: blob, segment, table ...</param>
    /// <param name="path">The file.</param>
    /// <param name="bytes">What is to be written.</param>
    /// <param name="write">Writes some of it.</param>
    internal static void Write(string site, string path, ReadOnlySpan<byte> bytes, WriteBytes write)
    {
        if (plan is not null && Due($"{site}.write", path) is FaultKind.Short or FaultKind.Torn)
        {
            var torn = plan.Kind == FaultKind.Torn;
            write(bytes[..(bytes.Length / 2)]);
            Fail(torn ? FaultKind.Kill : FaultKind.Error, path);
        }
    }

    /// <summary>Before a call that a fault lets fail.</summary>
    internal static void Call(string place, string path)
    {
        if (plan is not null)
        {
            Due(place, path);
        }
    }

    private static FaultKind? Due(string place, string path)
    {
        lock (Gate)
        {
            if (plan is null || plan.Place != place)
            {
                return null;
            }
            plan.Reached++;
            if (plan.Reached < plan.First || plan.Reached >= plan.First + plan.Times)
            {
                return null;
            }
        }
        if (plan.Kind is FaultKind.Kill or FaultKind.Error or FaultKind.Full)
        {
            Fail(plan.Kind, path);
        }
        return plan.Kind;
    }

    private static void Fail(FaultKind kind, string path)
    {
        switch (kind)
        {
            case FaultKind.Kill:
                Posix.KillSelf();
                break;
            case FaultKind.Full:
                throw new DiskFullException($"Cannot write {path}: the disk is full. Free some space; nothing that was committed is lost.");
            default:
                throw new IOException($"Cannot write {path}: Input/output error.", 5);
        }
    }

    private static FormatException Malformed(string text) => new($"{Variable} expects KIND@PLACE#N or KIND@PLACE#N+M with one of {string.Join(", ", Enum.GetNames<FaultKind>()).ToLowerInvariant()}, found '{text}'");

    /// <summary>Writes the first bytes of what is to be written.</summary>
    internal delegate void WriteBytes(ReadOnlySpan<byte> bytes);

    private sealed class Plan(FaultKind kind, string place, int first, int times)
    {
        public FaultKind Kind { get; } = kind;

        public string Place { get; } = place;

        public int First { get; } = first;

        public int Times { get; } = times;

        public int Reached { get; set; }
    }
}
