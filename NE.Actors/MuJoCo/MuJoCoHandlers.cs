using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NE.Actors.MuJoCo;

/// <summary>MuJoCo's process-wide error and warning handlers. Without them MuJoCo writes MUJOCO_LOG.TXT into the working folder, and on an
/// error waits on standard input and ends the process.</summary>
public static unsafe class MuJoCoHandlers
{
    private static readonly WarningThrottle throttle = new(intervalMilliseconds: 1000);

    /// <summary>What to do with a fatal error on this thread; null on threads that own no environment.</summary>
    [ThreadStatic]
    private static Action<string>? errorSink;

    /// <summary>What this thread holds while others may wait for it; null when it holds nothing.</summary>
    [ThreadStatic]
    private static Action? release;

    /// <summary>Where warnings of the whole process go, at most one a second; how many were left out is told with the next one. Nowhere when null. Must outlive
    /// every run.</summary>
    public static Action<string>? WarningLog { get; set; }

    /// <summary>Declares the calling thread an environment's own: on a fatal error the sink gets the message, then the thread is parked
    /// for ever, because MuJoCo can neither be returned to nor unwound.</summary>
    internal static void OwnThread(Action<string> sink) => errorSink = sink;

    /// <summary>Makes a native call while something is held that other threads wait for: it is released after the call, and also when a
    /// fatal error parks the thread.</summary>
    internal static void Holding(Action call, Action release)
    {
        MuJoCoHandlers.release = release;
        try
        {
            call();
        }
        finally
        {
            MuJoCoHandlers.release = null;
            release();
        }
    }

    /// <summary>Throws MuJoCoUnavailableException when the library takes no handlers: it would end the process at its first error.</summary>
    internal static void Install(string path, nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "mju_user_error", out var error) || !NativeLibrary.TryGetExport(library, "mju_user_warning", out var warning))
        {
            throw new MuJoCoUnavailableException(
                $"The MuJoCo library {path} has no mju_user_error and mju_user_warning, through which it tells its errors. Set MUJOCO_PATH to another version; known are {MuJoCoLayouts.KnownNames}.");
        }

        *(delegate* unmanaged[Cdecl]<byte*, void>*)error = &OnError;
        *(delegate* unmanaged[Cdecl]<byte*, void>*)warning = &OnWarning;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnError(byte* message)
    {
        var text = Marshal.PtrToStringUTF8((nint)message) ?? "unknown error";
        if (errorSink is not { } sink)
        {
            Environment.FailFast($"MuJoCo reported a fatal error on a thread that owns no environment: {text}");
            return;
        }

        try
        {
            release?.Invoke();
            sink(text);
        }
        catch (Exception e)
        {
            // An exception must not cross the native frames below: that would abort the process without a word.
            Environment.FailFast($"The handler of MuJoCo's fatal error '{text}' failed", e);
        }

        Thread.Sleep(Timeout.Infinite);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnWarning(byte* message)
    {
        try
        {
            if (WarningLog is { } log && throttle.Pass(Marshal.PtrToStringUTF8((nint)message) ?? "unknown warning", Environment.TickCount64) is { } text)
            {
                log(text);
            }
        }
        catch (Exception)
        {
            // As above; losing a line of the log is the lesser evil.
        }
    }
}
