using System.Runtime.InteropServices;

namespace NE.Actors.MuJoCo;

/// <summary>The functions of libmujoco that NE.Actors calls. Signatures are the same from 2.2.2 to 3.12; `MuJoCoLibrary` decides which
/// file "mujoco" is, and must have loaded it before the first call. Each is looked up at its first call, so that a version may lack one that is
/// not called with it.</summary>
/// <remarks>No SuppressGCTransition: these run for microseconds to milliseconds and call back (errors, warnings).</remarks>
internal static unsafe partial class MuJoCoNative
{
    internal const string Library = "mujoco";

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint mj_loadXML(string path, nint vfs, byte* error, int errorSize);

    [LibraryImport(Library)]
    internal static partial nint mj_copyModel(nint destination, nint source);

    [LibraryImport(Library)]
    internal static partial void mj_deleteModel(nint model);

    [LibraryImport(Library)]
    internal static partial int mj_sizeModel(nint model);

    [LibraryImport(Library)]
    internal static partial void mj_saveModel(nint model, nint path, byte* buffer, int size);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mj_name2id(nint model, int kind, string name);

    [LibraryImport(Library)]
    internal static partial nint mj_id2name(nint model, int kind, int index);

    [LibraryImport(Library)]
    internal static partial double mj_getTotalmass(nint model);

    /// <summary>From 2.3.7 on, as the two below.</summary>
    [LibraryImport(Library)]
    internal static partial int mj_stateSize(nint model, int elements);

    [LibraryImport(Library)]
    internal static partial void mj_getState(nint model, nint data, double* state, int elements);

    [LibraryImport(Library)]
    internal static partial void mj_setState(nint model, nint data, double* state, int elements);

    [LibraryImport(Library)]
    internal static partial nint mj_makeData(nint model);

    [LibraryImport(Library)]
    internal static partial void mj_deleteData(nint data);

    [LibraryImport(Library)]
    internal static partial void mj_resetData(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_resetDataKeyframe(nint model, nint data, int key);

    [LibraryImport(Library)]
    internal static partial void mj_forward(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_step(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_step1(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_step2(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_comPos(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_camlight(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_tendon(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_crb(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_factorM(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_collision(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_makeConstraint(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_transmission(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_projectConstraint(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_fwdVelocity(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_fwdAcceleration(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_fwdConstraint(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_sensorAcc(nint model, nint data);

    [LibraryImport(Library)]
    internal static partial void mj_rnePostConstraint(nint model, nint data);
}
