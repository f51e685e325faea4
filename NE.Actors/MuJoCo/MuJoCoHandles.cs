using System.Runtime.InteropServices;

namespace NE.Actors.MuJoCo;

/// <summary>An mjModel.</summary>
internal sealed class ModelHandle : SafeHandle
{
    internal ModelHandle(nint model) : base(0, ownsHandle: true) => this.SetHandle(model);

    public override bool IsInvalid => this.handle == 0;

    protected override bool ReleaseHandle()
    {
        MuJoCoNative.mj_deleteModel(this.handle);
        return true;
    }
}

/// <summary>An mjData. Keeps its mjModel alive, which must be freed after it.</summary>
internal sealed class DataHandle : SafeHandle
{
    private readonly ModelHandle model;

    internal DataHandle(ModelHandle model) : base(0, ownsHandle: true)
    {
        var referenced = false;
        model.DangerousAddRef(ref referenced);
        this.model = model;
        this.SetHandle(MuJoCoNative.mj_makeData(model.DangerousGetHandle()));
        if (this.IsInvalid)
        {
            model.DangerousRelease();
        }
    }

    public override bool IsInvalid => this.handle == 0;

    protected override bool ReleaseHandle()
    {
        MuJoCoNative.mj_deleteData(this.handle);
        this.model.DangerousRelease();
        return true;
    }
}
