namespace NE.Actors.MuJoCo;

/// <summary>The compiled arrays of a model by MuJoCo's names, to compare two models. Offsets of mjModel in 2.2.2, measured with
/// offsetof; the names of reference files (`opt.gravity`, `body_mass`, `nq`).</summary>
internal static unsafe class ModelArrays
{
    // Offsets of the sizes that give an array's number of rows.
    private const int nq = 0;
    private const int nv = 4;
    private const int nu = 8;
    private const int nbody = 16;
    private const int njnt = 20;
    private const int ngeom = 24;
    private const int nsite = 28;
    private const int ncam = 32;
    private const int ntendon = 116;
    private const int nwrap = 120;
    private const int nsensor = 124;

    private enum Kind
    {
        Number,
        Integer,
        Byte,
    }

    /// <summary>Values inside mjModel itself: name, kind, count, offset.</summary>
    private static readonly (string Name, Kind Kind, int Count, int Offset)[] inline =
    [
        ("opt.timestep", Kind.Number, 1, 232),
        ("opt.apirate", Kind.Number, 1, 240),
        ("opt.impratio", Kind.Number, 1, 248),
        ("opt.tolerance", Kind.Number, 1, 256),
        ("opt.noslip_tolerance", Kind.Number, 1, 264),
        ("opt.mpr_tolerance", Kind.Number, 1, 272),
        ("opt.gravity", Kind.Number, 3, 280),
        ("opt.wind", Kind.Number, 3, 304),
        ("opt.magnetic", Kind.Number, 3, 328),
        ("opt.density", Kind.Number, 1, 352),
        ("opt.viscosity", Kind.Number, 1, 360),
        ("opt.o_margin", Kind.Number, 1, 368),
        ("opt.o_solref", Kind.Number, 2, 376),
        ("opt.o_solimp", Kind.Number, 5, 392),
        ("opt.integrator", Kind.Integer, 1, 432),
        ("opt.collision", Kind.Integer, 1, 436),
        ("opt.cone", Kind.Integer, 1, 440),
        ("opt.jacobian", Kind.Integer, 1, 444),
        ("opt.solver", Kind.Integer, 1, 448),
        ("opt.iterations", Kind.Integer, 1, 452),
        ("opt.noslip_iterations", Kind.Integer, 1, 456),
        ("opt.mpr_iterations", Kind.Integer, 1, 460),
        ("opt.disableflags", Kind.Integer, 1, 464),
        ("opt.enableflags", Kind.Integer, 1, 468),
        ("stat.meaninertia", Kind.Number, 1, 1032),
        ("stat.meanmass", Kind.Number, 1, 1040),
        ("stat.meansize", Kind.Number, 1, 1048),
        ("stat.extent", Kind.Number, 1, 1056),
        ("stat.center", Kind.Number, 3, 1064),
        ("nq", Kind.Integer, 1, 0),
        ("nv", Kind.Integer, 1, 4),
        ("nu", Kind.Integer, 1, 8),
        ("na", Kind.Integer, 1, 12),
        ("nbody", Kind.Integer, 1, 16),
        ("njnt", Kind.Integer, 1, 20),
        ("ngeom", Kind.Integer, 1, 24),
        ("nsite", Kind.Integer, 1, 28),
        ("ncam", Kind.Integer, 1, 32),
        ("ntendon", Kind.Integer, 1, 116),
        ("nsensor", Kind.Integer, 1, 124),
        ("nM", Kind.Integer, 1, 196),
        ("njmax", Kind.Integer, 1, 208),
        ("nconmax", Kind.Integer, 1, 212),
        ("nstack", Kind.Integer, 1, 216),
        ("nsensordata", Kind.Integer, 1, 224),
    ];

    /// <summary>Arrays that mjModel points to: name, kind, offset of the number of rows, columns, offset of the pointer.</summary>
    private static readonly (string Name, Kind Kind, int Rows, int Columns, int Offset)[] pointed =
    [
        ("qpos0", Kind.Number, nq, 1, 1096),
        ("qpos_spring", Kind.Number, nq, 1, 1104),
        ("body_parentid", Kind.Integer, nbody, 1, 1112),
        ("body_rootid", Kind.Integer, nbody, 1, 1120),
        ("body_weldid", Kind.Integer, nbody, 1, 1128),
        ("body_jntnum", Kind.Integer, nbody, 1, 1144),
        ("body_jntadr", Kind.Integer, nbody, 1, 1152),
        ("body_dofnum", Kind.Integer, nbody, 1, 1160),
        ("body_dofadr", Kind.Integer, nbody, 1, 1168),
        ("body_geomnum", Kind.Integer, nbody, 1, 1176),
        ("body_geomadr", Kind.Integer, nbody, 1, 1184),
        ("body_simple", Kind.Byte, nbody, 1, 1192),
        ("body_sameframe", Kind.Byte, nbody, 1, 1200),
        ("body_pos", Kind.Number, nbody, 3, 1208),
        ("body_quat", Kind.Number, nbody, 4, 1216),
        ("body_ipos", Kind.Number, nbody, 3, 1224),
        ("body_iquat", Kind.Number, nbody, 4, 1232),
        ("body_mass", Kind.Number, nbody, 1, 1240),
        ("body_subtreemass", Kind.Number, nbody, 1, 1248),
        ("body_inertia", Kind.Number, nbody, 3, 1256),
        ("body_invweight0", Kind.Number, nbody, 2, 1264),
        ("jnt_type", Kind.Integer, njnt, 1, 1280),
        ("jnt_qposadr", Kind.Integer, njnt, 1, 1288),
        ("jnt_dofadr", Kind.Integer, njnt, 1, 1296),
        ("jnt_bodyid", Kind.Integer, njnt, 1, 1304),
        ("jnt_limited", Kind.Byte, njnt, 1, 1320),
        ("jnt_solref", Kind.Number, njnt, 2, 1328),
        ("jnt_solimp", Kind.Number, njnt, 5, 1336),
        ("jnt_pos", Kind.Number, njnt, 3, 1344),
        ("jnt_axis", Kind.Number, njnt, 3, 1352),
        ("jnt_stiffness", Kind.Number, njnt, 1, 1360),
        ("jnt_range", Kind.Number, njnt, 2, 1368),
        ("jnt_margin", Kind.Number, njnt, 1, 1376),
        ("dof_bodyid", Kind.Integer, nv, 1, 1392),
        ("dof_jntid", Kind.Integer, nv, 1, 1400),
        ("dof_parentid", Kind.Integer, nv, 1, 1408),
        ("dof_Madr", Kind.Integer, nv, 1, 1416),
        ("dof_solref", Kind.Number, nv, 2, 1432),
        ("dof_solimp", Kind.Number, nv, 5, 1440),
        ("dof_frictionloss", Kind.Number, nv, 1, 1448),
        ("dof_armature", Kind.Number, nv, 1, 1456),
        ("dof_damping", Kind.Number, nv, 1, 1464),
        ("dof_invweight0", Kind.Number, nv, 1, 1472),
        ("dof_M0", Kind.Number, nv, 1, 1480),
        ("geom_type", Kind.Integer, ngeom, 1, 1488),
        ("geom_contype", Kind.Integer, ngeom, 1, 1496),
        ("geom_conaffinity", Kind.Integer, ngeom, 1, 1504),
        ("geom_condim", Kind.Integer, ngeom, 1, 1512),
        ("geom_bodyid", Kind.Integer, ngeom, 1, 1520),
        ("geom_priority", Kind.Integer, ngeom, 1, 1552),
        ("geom_sameframe", Kind.Byte, ngeom, 1, 1560),
        ("geom_solmix", Kind.Number, ngeom, 1, 1568),
        ("geom_solref", Kind.Number, ngeom, 2, 1576),
        ("geom_solimp", Kind.Number, ngeom, 5, 1584),
        ("geom_size", Kind.Number, ngeom, 3, 1592),
        ("geom_rbound", Kind.Number, ngeom, 1, 1600),
        ("geom_pos", Kind.Number, ngeom, 3, 1608),
        ("geom_quat", Kind.Number, ngeom, 4, 1616),
        ("geom_friction", Kind.Number, ngeom, 3, 1624),
        ("geom_margin", Kind.Number, ngeom, 1, 1632),
        ("geom_gap", Kind.Number, ngeom, 1, 1640),
        ("site_type", Kind.Integer, nsite, 1, 1672),
        ("site_bodyid", Kind.Integer, nsite, 1, 1680),
        ("site_size", Kind.Number, nsite, 3, 1712),
        ("site_pos", Kind.Number, nsite, 3, 1720),
        ("site_quat", Kind.Number, nsite, 4, 1728),
        ("cam_mode", Kind.Integer, ncam, 1, 1752),
        ("cam_bodyid", Kind.Integer, ncam, 1, 1760),
        ("cam_targetbodyid", Kind.Integer, ncam, 1, 1768),
        ("cam_pos", Kind.Number, ncam, 3, 1776),
        ("cam_quat", Kind.Number, ncam, 4, 1784),
        ("cam_fovy", Kind.Number, ncam, 1, 1816),
        ("tendon_adr", Kind.Integer, ntendon, 1, 2512),
        ("tendon_num", Kind.Integer, ntendon, 1, 2520),
        ("wrap_type", Kind.Integer, nwrap, 1, 2672),
        ("wrap_objid", Kind.Integer, nwrap, 1, 2680),
        ("wrap_prm", Kind.Number, nwrap, 1, 2688),
        ("actuator_trntype", Kind.Integer, nu, 1, 2696),
        ("actuator_dyntype", Kind.Integer, nu, 1, 2704),
        ("actuator_gaintype", Kind.Integer, nu, 1, 2712),
        ("actuator_biastype", Kind.Integer, nu, 1, 2720),
        ("actuator_trnid", Kind.Integer, nu, 2, 2728),
        ("actuator_ctrllimited", Kind.Byte, nu, 1, 2744),
        ("actuator_forcelimited", Kind.Byte, nu, 1, 2752),
        ("actuator_dynprm", Kind.Number, nu, 10, 2768),
        ("actuator_gainprm", Kind.Number, nu, 10, 2776),
        ("actuator_biasprm", Kind.Number, nu, 10, 2784),
        ("actuator_ctrlrange", Kind.Number, nu, 2, 2792),
        ("actuator_forcerange", Kind.Number, nu, 2, 2800),
        ("actuator_gear", Kind.Number, nu, 6, 2816),
        ("actuator_acc0", Kind.Number, nu, 1, 2832),
        ("actuator_length0", Kind.Number, nu, 1, 2840),
        ("actuator_lengthrange", Kind.Number, nu, 2, 2848),
        ("sensor_type", Kind.Integer, nsensor, 1, 2864),
        ("sensor_objtype", Kind.Integer, nsensor, 1, 2888),
        ("sensor_objid", Kind.Integer, nsensor, 1, 2896),
        ("sensor_dim", Kind.Integer, nsensor, 1, 2920),
        ("sensor_adr", Kind.Integer, nsensor, 1, 2928),
    ];

    /// <summary>All arrays of the model as doubles, row-major.</summary>
    internal static IReadOnlyDictionary<string, double[]> Read(MuJoCoModel model)
    {
        MuJoCoLibrary.RequireReference("Compiled arrays are compared with those");
        var arrays = new Dictionary<string, double[]>();
        foreach (var (name, kind, count, offset) in inline)
        {
            arrays[name] = Values(model.Address + offset, kind, count);
        }

        foreach (var (name, kind, rows, columns, offset) in pointed)
        {
            arrays[name] = Values(*(byte**)(model.Address + offset), kind, model.Size(rows) * columns);
        }

        GC.KeepAlive(model);
        return arrays;
    }

    private static double[] Values(byte* address, Kind kind, int count)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = kind switch
            {
                Kind.Number => ((double*)address)[i],
                Kind.Integer => ((int*)address)[i],
                _ => address[i],
            };
        }

        return values;
    }
}
