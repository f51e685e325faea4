// Akka.Actor has a type of this name too.
global using Settings = NE.Model.Settings;
