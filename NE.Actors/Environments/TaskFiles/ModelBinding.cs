using NE.Actors.MuJoCo;
using NE.Model.Tasks.Custom;

namespace NE.Actors.Environments.TaskFiles;

/// <summary>Turns the names of a task file into indices of its model. Without a model (it did not compile) every name is taken as it is, so that
/// the rest of the file can be checked.</summary>
internal sealed class ModelBinding(MuJoCoModel? model)
{
    private static readonly (string Key, ModelObject Kind)[] points =
        [("body", ModelObject.Body), ("site", ModelObject.Site), ("geom", ModelObject.Geom)];

    private readonly ModelNames? names = model is null ? null : new ModelNames(model);

    internal MuJoCoModel? Model => model;

    internal ModelNames? Names => this.names;

    /// <summary>The index of what a key names; 0 when that is a problem.</summary>
    internal int Index(YamlSection section, string key, ModelObject kind) => this.Index(section, key, kind, section.Required(key));

    internal int Index(YamlSection section, string key, ModelObject kind, string name)
    {
        if (name.Length == 0 || this.names is null)
        {
            return 0;
        }

        var found = this.names.Find(kind, name);
        if (found < 0)
        {
            section.Problem(this.names.Unknown(kind, name), key);
            return 0;
        }

        return found;
    }

    /// <summary>A body, site or geom: exactly one of the three keys.</summary>
    internal Point Point(YamlSection section)
    {
        var given = points.Where(point => section.Has(point.Key)).ToList();
        if (given.Count != 1)
        {
            section.Problem($"expected one of body, site and geom, found {(given.Count == 0 ? "none" : string.Join(" and ", given.Select(point => point.Key)))}");
            return NE.Model.Tasks.Custom.Point.NewBody(0);
        }

        var index = this.Index(section, given[0].Key, given[0].Kind);
        return given[0].Kind switch
        {
            ModelObject.Body => NE.Model.Tasks.Custom.Point.NewBody(index),
            ModelObject.Site => NE.Model.Tasks.Custom.Point.NewSite(index),
            _ => NE.Model.Tasks.Custom.Point.NewGeom(index),
        };
    }

    /// <summary>A point in a mapping of its own, such as `from: {site: tip}`.</summary>
    internal Point Point(YamlSection section, string key)
    {
        if (section.Section(key) is not { } nested)
        {
            if (!section.Has(key))
            {
                section.Problem($"'{key}' is missing; it is a mapping such as {{site: NAME}}");
            }

            return NE.Model.Tasks.Custom.Point.NewBody(0);
        }

        var point = this.Point(nested);
        nested.End();
        return point;
    }

    /// <summary>A number that can be read off the state.</summary>
    /// <param name="kind">position, distance, sensor, upright or joint-velocity.</param>
    internal Quantity Quantity(YamlSection section, string kind) => kind switch
    {
        "position" => this.Position(section),
        "distance" => NE.Model.Tasks.Custom.Quantity.NewDistance(this.Point(section, "from"), this.Point(section, "to")),
        "sensor" => this.Sensor(section),
        "upright" => NE.Model.Tasks.Custom.Quantity.NewUpright(this.Index(section, "body", ModelObject.Body)),
        _ => NE.Model.Tasks.Custom.Quantity.NewRate(this.Joint(section, "joint").Velocity),
    };

    /// <summary>A joint coordinate, or a coordinate of a point.</summary>
    internal Quantity Position(YamlSection section)
    {
        if (!section.Has("joint"))
        {
            var point = this.Point(section);
            return NE.Model.Tasks.Custom.Quantity.NewPosition(point, Axis(section.Choice("axis", required: true, "x", "y", "z")));
        }

        var index = this.Index(section, "joint", ModelObject.Joint);
        var (position, positions, _, _) = this.names?.Joint(index) ?? (0, 1, 0, 1);
        if (positions == 1)
        {
            return NE.Model.Tasks.Custom.Quantity.NewCoordinate(position);
        }

        if (!this.names!.IsFree(index))
        {
            section.Problem("a ball joint has no single coordinate; name a body, site or geom instead", "joint");
        }

        return NE.Model.Tasks.Custom.Quantity.NewCoordinate(position + Axis(section.Choice("axis", required: true, "x", "y", "z")));
    }

    /// <summary>Where a joint's coordinates lie.</summary>
    internal (int Position, int Positions, int Velocity, int Velocities) Joint(YamlSection section, string key) =>
        this.Joint(this.Index(section, key, ModelObject.Joint));

    internal (int Position, int Positions, int Velocity, int Velocities) Joint(int index) => this.names?.Joint(index) ?? (0, 1, 0, 1);

    /// <summary>Where a sensor's readings lie.</summary>
    internal (int Address, int Count) Readings(YamlSection section, string key)
    {
        var index = this.Index(section, key, ModelObject.Sensor);
        return this.names is null || this.names.All(ModelObject.Sensor).Count == 0 ? (0, 1) : this.names.Sensor(index);
    }

    internal static int Axis(string axis) => axis switch { "y" => 1, "z" => 2, _ => 0 };

    private Quantity Sensor(YamlSection section)
    {
        var (address, count) = this.Readings(section, "sensor");
        if (section.Flag("norm"))
        {
            if (section.Has("component"))
            {
                section.Problem("expected one of component and norm, found both");
            }

            return NE.Model.Tasks.Custom.Quantity.NewReadingNorm(address, count);
        }

        var component = section.Whole("component", 0, 0);
        if (this.names is not null && ((count > 1 && !section.Has("component")) || component >= count))
        {
            section.Problem($"the sensor has {Counted.Of(count, "number")}; expected 'component' below {count}{(count > 1 ? ", or norm: true" : "")}", "component");
            component = 0;
        }

        return NE.Model.Tasks.Custom.Quantity.NewReading(address + component);
    }
}
