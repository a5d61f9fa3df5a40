# The properties of each kind of object, in their order. All of them are always there, so that scripts in strict mode
# may ask for any; what the command line does not know is $null.
$script:ObjectProperties = @{
    'Transship.Package'          = 'Kind', 'Reference', 'Identity', 'Publisher', 'Name', 'Version', 'IsOSImage', 'Names', 'ImageId', 'PayloadDigest', 'Dependencies', 'Platform', 'CreatedTime', 'SizeBytes', 'Layers'
    'Transship.Conversion'       = 'Source', 'Destination', 'Exact', 'Artifacts', 'Losses', 'Notes', 'Inexact', 'BytesRead', 'BytesWritten', 'Seconds'
    'Transship.ConversionPlan'   = 'Source', 'Destination', 'Mode', 'Steps', 'OsLayers', 'Losses', 'Notes'
    'Transship.Artifact'         = 'Kind', 'Reference', 'Identity', 'Dependencies', 'Unchanged', 'ImageId', 'ManifestDigest', 'Layers'
    'Transship.Verification'     = 'Reference', 'Ok', 'Faults', 'Layers', 'Bytes'
    'Transship.Difference'       = 'Part', 'Path', 'Value', 'Change', 'Fields', 'Left', 'Right'
    'Transship.File'             = 'Reference', 'Path', 'Kind', 'Layer', 'Length', 'Attributes', 'CreationTimeUtc', 'LastWriteTimeUtc', 'LastAccessTimeUtc', 'Target', 'Streams', 'ExtendedAttributes', 'Sddl', 'SecurityDescriptor', 'ReparsePoint'
    'Transship.RegistryKey'      = 'Reference', 'Path', 'LastWriteTimeUtc', 'Change', 'Values', 'ClassName', 'Sddl', 'SecurityDescriptor'
    'Transship.RegistryValue'    = 'Path', 'Name', 'Type', 'Data', 'Text', 'Size', 'Deleted'
    'Transship.Container'        = 'Id', 'Name', 'Manager', 'Namespace', 'Image', 'State', 'Os', 'Isolation', 'Pid', 'MemoryBytes', 'CpuSeconds', 'StartedAt', 'SeenBy'
    'Transship.ContainerOutcome' = 'Asked', 'Outcome', 'Id', 'Name', 'Manager', 'Via', 'ExitCode', 'Attempts', 'Error'
    'Transship.MigrationItem'    = 'Id', 'Source', 'Destination', 'State', 'Seconds', 'Attempts', 'After', 'Before', 'Result', 'Failure'
    'Transship.MigrationPlan'    = 'Title', 'Items', 'Bytes', 'Space'
    'Transship.LayerMove'        = 'Runtime', 'TransportLayout', 'Parents', 'Library'
}

function New-TransshipObject {
    # An object of one of our types: what the document says, with what -Property puts in its place.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory)]
        [string] $TypeName,

        [AllowNull()]
        [object] $Document,

        [hashtable] $Property = @{}
    )

    $values = [ordered]@{}
    foreach ($name in $script:ObjectProperties[$TypeName]) {
        $values[$name] = $null
        if ($Property.ContainsKey($name)) { $values[$name] = $Property[$name] }
        elseif ($null -ne $Document -and $Document.PSObject.Properties[$name]) { $values[$name] = $Document.$name }
    }
    $object = [pscustomobject] $values
    $object.PSObject.TypeNames.Insert(0, $TypeName)
    $object
}

function Get-DocumentValue {
    # A property of a document, or $null where it has none: strict mode throws for those. A list comes item by item.
    [CmdletBinding()]
    param(
        [AllowNull()]
        [object] $Document,

        [Parameter(Mandatory)]
        [string] $Name
    )

    if ($null -ne $Document -and $Document.PSObject.Properties[$Name]) { return $Document.$Name }
    $null
}

function ConvertFrom-FileTime {
    # Windows counts 100 ns since 1601; $null for what .NET cannot hold.
    [CmdletBinding()]
    [OutputType([datetime])]
    param([AllowNull()] [object] $FileTime)

    [long] $ticks = 0
    if ($null -eq $FileTime -or -not [long]::TryParse([string] $FileTime, [ref] $ticks)) { return $null }
    if ($ticks -lt 0 -or $ticks -gt 2650467743999999999) { return $null }
    [datetime]::FromFileTimeUtc($ticks)
}

function ConvertFrom-IsoTime {
    # A time of a document; $null for what is none.
    [CmdletBinding()]
    [OutputType([datetime])]
    param([AllowNull()] [object] $Text)

    if (-not $Text) { return $null }
    $time = [datetime]::MinValue
    $styles = [System.Globalization.DateTimeStyles]::AdjustToUniversal -bor [System.Globalization.DateTimeStyles]::AssumeUniversal
    if ([datetime]::TryParse([string] $Text, [cultureinfo]::InvariantCulture, $styles, [ref] $time)) { return $time }
    $null
}
