namespace NE.Actors.MuJoCo;

/// <summary>Where the fields of mjModel and mjData lie, in bytes, for one version of MuJoCo on x86-64. Everything moves between versions,
/// so only versions that were tested with this program have an entry; another one is refused, never guessed.</summary>
internal sealed record MuJoCoLayout
{
    internal required int Version { get; init; }

    /// <summary>The version as people write it.</summary>
    internal required string VersionName { get; init; }

    internal required ModelOffsets Model { get; init; }

    internal required DataOffsets Data { get; init; }

    internal required RenderOffsets Render { get; init; }

    /// <summary>The only entry: Debian's libmujoco 2.2.2, offsets measured with offsetof.</summary>
    internal static readonly MuJoCoLayout Version222 = new()
    {
        Version = 222,
        VersionName = "2.2.2",
        Model = new ModelOffsets
        {
            NQ = 0,
            NV = 4,
            NU = 8,
            NA = 12,
            NBody = 16,
            NJoint = 20,
            NGeom = 24,
            NSite = 28,
            NCamera = 32,
            NLight = 36,
            NKeyframe = 152,
            NMocap = 156,
            NUserData = 220,
            NSensorData = 224,
            Timestep = 232,
            Integrator = 432,
            OffWidth = 496,
            OffHeight = 500,
            QPos0 = 1096,
            BodyMass = 1240,
            JointLimited = 1320,
            JointRange = 1368,
            GeomSize = 1592,
            GeomPos = 1608,
            ActuatorControlRange = 2792,
        },
        Data = new DataOffsets
        {
            Warning = 24,
            ContactCount = 40332,
            Time = 40336,
            QPos = 40376,
            QVel = 40384,
            Act = 40392,
            QAccWarmStart = 40400,
            Ctrl = 40408,
            QFrcApplied = 40416,
            XFrcApplied = 40424,
            MocapPos = 40432,
            MocapQuat = 40440,
            QAcc = 40448,
            UserData = 40464,
            SensorData = 40472,
            XPos = 40480,
            XQuat = 40488,
            XMat = 40496,
            XIPos = 40504,
            XIMat = 40512,
            XAnchor = 40520,
            XAxis = 40528,
            GeomXPos = 40536,
            GeomXMat = 40544,
            SiteXPos = 40552,
            SiteXMat = 40560,
            CameraXPos = 40568,
            CameraXMat = 40576,
            LightXPos = 40584,
            LightXDir = 40592,
            SubtreeCom = 40600,
            CInert = 40616,
            CVel = 40960,
            SubtreeLinVel = 41008,
            SubtreeAngMom = 41016,
            ActuatorForce = 41080,
            QFrcActuator = 41088,
            QFrcConstraint = 41136,
            CFrcExt = 41168,
        },
        Render = new RenderOffsets
        {
            SceneSize = 8656,
            SceneMaxGeom = 0,
            SceneNGeom = 4,
            OptionSize = 68,
            CameraSize = 64,
            CameraType = 0,
            CameraFixedId = 4,
            CameraLookAt = 16,
            CameraDistance = 40,
            CameraAzimuth = 48,
            CameraElevation = 56,
            PerturbSize = 104,
            ContextSize = 2304,
            ContextOffWidth = 40,
            ContextOffHeight = 44,
            ContextCurrentBuffer = 2300,
        },
    };

    /// <summary>The layout of a version, or null when that version was never tested.</summary>
    internal static MuJoCoLayout? For(int version) => version == Version222.Version ? Version222 : null;
}

/// <summary>Offsets in mjModel: sizes, the timestep, the integrator and the size of the offscreen buffer by value, the rest pointers.</summary>
internal sealed record ModelOffsets
{
    internal required int NQ { get; init; }
    internal required int NV { get; init; }
    internal required int NU { get; init; }
    internal required int NA { get; init; }
    internal required int NBody { get; init; }
    internal required int NJoint { get; init; }
    internal required int NGeom { get; init; }
    internal required int NSite { get; init; }
    internal required int NCamera { get; init; }
    internal required int NLight { get; init; }
    internal required int NKeyframe { get; init; }
    internal required int NMocap { get; init; }
    internal required int NUserData { get; init; }
    internal required int NSensorData { get; init; }
    internal required int Timestep { get; init; }
    internal required int Integrator { get; init; }
    internal required int OffWidth { get; init; }
    internal required int OffHeight { get; init; }
    internal required int QPos0 { get; init; }
    internal required int BodyMass { get; init; }
    internal required int JointLimited { get; init; }
    internal required int JointRange { get; init; }
    internal required int GeomSize { get; init; }
    internal required int GeomPos { get; init; }
    internal required int ActuatorControlRange { get; init; }
}

/// <summary>Offsets in mjData: the warning counters, the number of contacts and the time by value, the rest pointers to double.</summary>
internal sealed record DataOffsets
{
    internal required int Warning { get; init; }
    internal required int ContactCount { get; init; }
    internal required int Time { get; init; }
    internal required int QPos { get; init; }
    internal required int QVel { get; init; }
    internal required int Act { get; init; }
    internal required int QAccWarmStart { get; init; }
    internal required int Ctrl { get; init; }
    internal required int QFrcApplied { get; init; }
    internal required int XFrcApplied { get; init; }
    internal required int MocapPos { get; init; }
    internal required int MocapQuat { get; init; }
    internal required int QAcc { get; init; }
    internal required int UserData { get; init; }
    internal required int SensorData { get; init; }
    internal required int XPos { get; init; }
    internal required int XQuat { get; init; }
    internal required int XMat { get; init; }
    internal required int XIPos { get; init; }
    internal required int XIMat { get; init; }
    internal required int XAnchor { get; init; }
    internal required int XAxis { get; init; }
    internal required int GeomXPos { get; init; }
    internal required int GeomXMat { get; init; }
    internal required int SiteXPos { get; init; }
    internal required int SiteXMat { get; init; }
    internal required int CameraXPos { get; init; }
    internal required int CameraXMat { get; init; }
    internal required int LightXPos { get; init; }
    internal required int LightXDir { get; init; }
    internal required int SubtreeCom { get; init; }
    internal required int CInert { get; init; }
    internal required int CVel { get; init; }
    internal required int SubtreeLinVel { get; init; }
    internal required int SubtreeAngMom { get; init; }
    internal required int ActuatorForce { get; init; }
    internal required int QFrcActuator { get; init; }
    internal required int QFrcConstraint { get; init; }
    internal required int CFrcExt { get; init; }
}

/// <summary>Sizes of the renderer's structures (mjvScene, mjvOption, mjvCamera, mjvPerturb, mjrContext) and offsets in them.</summary>
internal sealed record RenderOffsets
{
    internal required int SceneSize { get; init; }
    internal required int SceneMaxGeom { get; init; }
    internal required int SceneNGeom { get; init; }
    internal required int OptionSize { get; init; }
    internal required int CameraSize { get; init; }
    internal required int CameraType { get; init; }
    internal required int CameraFixedId { get; init; }
    internal required int CameraLookAt { get; init; }
    internal required int CameraDistance { get; init; }
    internal required int CameraAzimuth { get; init; }
    internal required int CameraElevation { get; init; }
    internal required int PerturbSize { get; init; }
    internal required int ContextSize { get; init; }
    internal required int ContextOffWidth { get; init; }
    internal required int ContextOffHeight { get; init; }
    internal required int ContextCurrentBuffer { get; init; }
}
