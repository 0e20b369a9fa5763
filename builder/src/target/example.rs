//! A commented file of targets to start from: what `builder targets --example` writes.

/// The text.
pub const EXAMPLE: &str = "\
# The places that images go to. Keep this file at ~/.config/trempe/targets.yml; nobody else may be able to write it.
# Secrets are named, never written: env:NAME, file:PATH (mode 600), or command:COMMAND LINE (its first line of output).
targets:
  paris:
    nutanix:
      address: pc.paris.example.com       # port 9440 unless :PORT is added
      user: image-builder
      password: env:PARIS_PASSWORD
      ca: prism-ca.pem                    # PEM, beside this file; the system's certificates when left out
  lyon:
    nutanix:
      address: pc.lyon.example.com
      user: image-builder
      password: command:keepassxc-cli show -s -a Password vault.kdbx prism/lyon
      # api_key: file:lyon.key            # instead of user and password; files then go by API v3
      # insecure: true                    # take any certificate: whoever is on the way reads the password
      # api: auto                         # v4 where it can take files, else v3; or v4, or v3
      # clusters: [cluster-1]             # names or UUIDs; without them Prism Central decides, and may copy it everywhere
      # categories: {Environment: Production}
      # keep: 2                           # earlier versions of an image that stay, as NAME-DIGEST
      # remove_object: false              # after an import by v4, remove the file it was made from
      # patience: {connect: 15, stall: 120, import: 7200}   # seconds
  vcenter:
    vsphere:
      address: vcenter.example.com        # port 443 unless :PORT is added
      user: image-builder@vsphere.local
      password: file:vcenter.password     # ca, insecure, keep and patience as above
      library: templates                  # a local content library
";
