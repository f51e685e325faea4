using System.Text.Json.Serialization;

namespace NE.Actors.MuJoCo;

/// <summary>Where the fields lie that this program reads, in bytes, for one version of MuJoCo on x86-64; an entry of layouts.json. The fields'
/// types are the same in all versions of the table, but for the sizes in mjModel.</summary>
internal sealed record MuJoCoLayout
{
    /// <summary>The version as people write it.</summary>
    [JsonPropertyName("version")] public required string VersionName { get; init; }

    /// <summary>What mj_version() says: 337 for 3.3.7, and from 3.6.0 on 3006000.</summary>
    [JsonPropertyName("number")] public required int Version { get; init; }

    /// <summary>Of each size in mjModel, such as nq: int before 3.6.0, mjtSize from then on.</summary>
    [JsonPropertyName("sizeBytes")] public required int SizeBytes { get; init; }

    /// <summary>Whether mj_kinematics writes normalised quaternions back into qpos, as it did before 3.2.0.</summary>
    [JsonPropertyName("kinematicsNormalises")] public required bool KinematicsNormalises { get; init; }

    /// <summary>Bits of mjtState that belong to a stored state beside the arrays of <see cref="SimulatorState"/>: plugins, which equalities are
    /// active, histories of delayed controls. 0 where there is nothing like that.</summary>
    [JsonPropertyName("moreState")] public required int MoreState { get; init; }

    [JsonPropertyName("mjModel")] public required ModelOffsets Model { get; init; }

    [JsonPropertyName("mjData")] public required DataOffsets Data { get; init; }

    [JsonPropertyName("mjvScene")] public required SceneOffsets Scene { get; init; }

    [JsonPropertyName("mjvOption")] public required StructureSize Option { get; init; }

    [JsonPropertyName("mjvCamera")] public required CameraOffsets View { get; init; }

    [JsonPropertyName("mjvPerturb")] public required StructureSize Perturb { get; init; }

    [JsonPropertyName("mjrContext")] public required ContextOffsets Context { get; init; }

    [JsonPropertyName("constants")] public required MuJoCoConstants Constants { get; init; }

    /// <summary>From 3.0.0 on.</summary>
    public bool IsThree => this.VersionName[0] >= '3';
}

/// <summary>mjModel: sizes, the timestep (double), the integrator and the size of the offscreen buffer (int) by value; the rest pointers, to double
/// but for the integers jnt_type, jnt_qposadr, jnt_dofadr, sensor_dim and sensor_adr, and the bytes jnt_limited and actuator_ctrllimited.</summary>
internal sealed record ModelOffsets
{
    [JsonPropertyName("sizeof")] public required int Size { get; init; }
    [JsonPropertyName("nq")] public required int NQ { get; init; }
    [JsonPropertyName("nv")] public required int NV { get; init; }
    [JsonPropertyName("nu")] public required int NU { get; init; }
    [JsonPropertyName("na")] public required int NA { get; init; }
    [JsonPropertyName("nbody")] public required int NBody { get; init; }
    [JsonPropertyName("njnt")] public required int NJoint { get; init; }
    [JsonPropertyName("ngeom")] public required int NGeom { get; init; }
    [JsonPropertyName("nsite")] public required int NSite { get; init; }
    [JsonPropertyName("ncam")] public required int NCamera { get; init; }
    [JsonPropertyName("nlight")] public required int NLight { get; init; }
    [JsonPropertyName("nsensor")] public required int NSensor { get; init; }
    [JsonPropertyName("nkey")] public required int NKeyframe { get; init; }
    [JsonPropertyName("nmocap")] public required int NMocap { get; init; }
    [JsonPropertyName("nuserdata")] public required int NUserData { get; init; }
    [JsonPropertyName("nsensordata")] public required int NSensorData { get; init; }
    [JsonPropertyName("opt.timestep")] public required int Timestep { get; init; }
    [JsonPropertyName("opt.integrator")] public required int Integrator { get; init; }
    [JsonPropertyName("vis.global.offwidth")] public required int OffWidth { get; init; }
    [JsonPropertyName("vis.global.offheight")] public required int OffHeight { get; init; }
    [JsonPropertyName("qpos0")] public required int QPos0 { get; init; }
    [JsonPropertyName("body_mass")] public required int BodyMass { get; init; }
    [JsonPropertyName("jnt_type")] public required int JointType { get; init; }
    [JsonPropertyName("jnt_qposadr")] public required int JointPosition { get; init; }
    [JsonPropertyName("jnt_dofadr")] public required int JointVelocity { get; init; }
    [JsonPropertyName("jnt_limited")] public required int JointLimited { get; init; }
    [JsonPropertyName("jnt_range")] public required int JointRange { get; init; }
    [JsonPropertyName("geom_size")] public required int GeomSize { get; init; }
    [JsonPropertyName("geom_pos")] public required int GeomPos { get; init; }
    [JsonPropertyName("actuator_ctrllimited")] public required int ActuatorControlLimited { get; init; }
    [JsonPropertyName("actuator_ctrlrange")] public required int ActuatorControlRange { get; init; }
    [JsonPropertyName("sensor_dim")] public required int SensorSize { get; init; }
    [JsonPropertyName("sensor_adr")] public required int SensorAddress { get; init; }
}

/// <summary>mjData: the warning counters (pairs of int), the number of contacts (int) and the time (double) by value; the rest pointers to double.</summary>
internal sealed record DataOffsets
{
    [JsonPropertyName("sizeof")] public required int Size { get; init; }
    [JsonPropertyName("warning")] public required int Warning { get; init; }
    [JsonPropertyName("ncon")] public required int ContactCount { get; init; }
    [JsonPropertyName("time")] public required int Time { get; init; }
    [JsonPropertyName("qpos")] public required int QPos { get; init; }
    [JsonPropertyName("qvel")] public required int QVel { get; init; }
    [JsonPropertyName("act")] public required int Act { get; init; }
    [JsonPropertyName("qacc_warmstart")] public required int QAccWarmStart { get; init; }
    [JsonPropertyName("ctrl")] public required int Ctrl { get; init; }
    [JsonPropertyName("qfrc_applied")] public required int QFrcApplied { get; init; }
    [JsonPropertyName("xfrc_applied")] public required int XFrcApplied { get; init; }
    [JsonPropertyName("mocap_pos")] public required int MocapPos { get; init; }
    [JsonPropertyName("mocap_quat")] public required int MocapQuat { get; init; }
    [JsonPropertyName("qacc")] public required int QAcc { get; init; }
    [JsonPropertyName("userdata")] public required int UserData { get; init; }
    [JsonPropertyName("sensordata")] public required int SensorData { get; init; }
    [JsonPropertyName("xpos")] public required int XPos { get; init; }
    [JsonPropertyName("xquat")] public required int XQuat { get; init; }
    [JsonPropertyName("xmat")] public required int XMat { get; init; }
    [JsonPropertyName("xipos")] public required int XIPos { get; init; }
    [JsonPropertyName("ximat")] public required int XIMat { get; init; }
    [JsonPropertyName("xanchor")] public required int XAnchor { get; init; }
    [JsonPropertyName("xaxis")] public required int XAxis { get; init; }
    [JsonPropertyName("geom_xpos")] public required int GeomXPos { get; init; }
    [JsonPropertyName("geom_xmat")] public required int GeomXMat { get; init; }
    [JsonPropertyName("site_xpos")] public required int SiteXPos { get; init; }
    [JsonPropertyName("site_xmat")] public required int SiteXMat { get; init; }
    [JsonPropertyName("cam_xpos")] public required int CameraXPos { get; init; }
    [JsonPropertyName("cam_xmat")] public required int CameraXMat { get; init; }
    [JsonPropertyName("light_xpos")] public required int LightXPos { get; init; }
    [JsonPropertyName("light_xdir")] public required int LightXDir { get; init; }
    [JsonPropertyName("subtree_com")] public required int SubtreeCom { get; init; }
    [JsonPropertyName("cinert")] public required int CInert { get; init; }
    [JsonPropertyName("cvel")] public required int CVel { get; init; }
    [JsonPropertyName("subtree_linvel")] public required int SubtreeLinVel { get; init; }
    [JsonPropertyName("subtree_angmom")] public required int SubtreeAngMom { get; init; }
    [JsonPropertyName("actuator_force")] public required int ActuatorForce { get; init; }
    [JsonPropertyName("qfrc_actuator")] public required int QFrcActuator { get; init; }
    [JsonPropertyName("qfrc_constraint")] public required int QFrcConstraint { get; init; }
    [JsonPropertyName("cfrc_ext")] public required int CFrcExt { get; init; }
}

/// <summary>mjvScene: two int, and the first of its cameras, which begins with position and direction (three float each).</summary>
internal sealed record SceneOffsets
{
    [JsonPropertyName("sizeof")] public required int Size { get; init; }
    [JsonPropertyName("maxgeom")] public required int MaxGeom { get; init; }
    [JsonPropertyName("ngeom")] public required int NGeom { get; init; }
    [JsonPropertyName("camera")] public required int Camera { get; init; }
}

/// <summary>mjvCamera: two int, the rest double.</summary>
internal sealed record CameraOffsets
{
    [JsonPropertyName("sizeof")] public required int Size { get; init; }
    [JsonPropertyName("type")] public required int Type { get; init; }
    [JsonPropertyName("fixedcamid")] public required int FixedId { get; init; }
    [JsonPropertyName("lookat")] public required int LookAt { get; init; }
    [JsonPropertyName("distance")] public required int Distance { get; init; }
    [JsonPropertyName("azimuth")] public required int Azimuth { get; init; }
    [JsonPropertyName("elevation")] public required int Elevation { get; init; }
}

/// <summary>mjrContext: int.</summary>
internal sealed record ContextOffsets
{
    [JsonPropertyName("sizeof")] public required int Size { get; init; }
    [JsonPropertyName("offWidth")] public required int OffWidth { get; init; }
    [JsonPropertyName("offHeight")] public required int OffHeight { get; init; }
    [JsonPropertyName("currentBuffer")] public required int CurrentBuffer { get; init; }
}

/// <summary>A structure that is only handed on.</summary>
internal sealed record StructureSize
{
    [JsonPropertyName("sizeof")] public required int Size { get; init; }
}

/// <summary>Values of enumerations that changed between versions: how many warnings there are, the first and the last of the three that mean that
/// the state left the numbers, and the kinds of named things (mjtObj).</summary>
internal sealed record MuJoCoConstants
{
    [JsonPropertyName("mjNWARNING")] public required int Warnings { get; init; }
    [JsonPropertyName("mjWARN_BADQPOS")] public required int BadQPos { get; init; }
    [JsonPropertyName("mjWARN_BADQACC")] public required int BadQAcc { get; init; }
    [JsonPropertyName("mjOBJ_BODY")] public required int Body { get; init; }
    [JsonPropertyName("mjOBJ_JOINT")] public required int Joint { get; init; }
    [JsonPropertyName("mjOBJ_GEOM")] public required int Geom { get; init; }
    [JsonPropertyName("mjOBJ_SITE")] public required int Site { get; init; }
    [JsonPropertyName("mjOBJ_CAMERA")] public required int Camera { get; init; }
    [JsonPropertyName("mjOBJ_ACTUATOR")] public required int Actuator { get; init; }
    [JsonPropertyName("mjOBJ_SENSOR")] public required int Sensor { get; init; }
    [JsonPropertyName("mjOBJ_KEY")] public required int Keyframe { get; init; }
}

[JsonSourceGenerationOptions(UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(MuJoCoLayout[]))]
internal sealed partial class MuJoCoLayoutJson : JsonSerializerContext;
