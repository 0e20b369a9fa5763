# Made by builder from the specification of debian13: change that, not this.
#
# By hand:  packer init . && packer build -var-file=site.pkrvars.hcl -var private_key=FILE -var agent_package=FILE .
# Give user and password as PKR_VAR_vcenter_user and PKR_VAR_vcenter_password in the environment, not on the command line.

packer {
  required_version = ">= 1.10.0"
  required_plugins {
    vsphere = {
      source  = "github.com/vmware/vsphere"
      version = ">= 2.0.0"
    }
  }
}

variable "private_key" {
  type        = string
  default     = "build_key"
  description = "The private half of the key that the build user has while the image is built."
}

variable "agent_package" {
  type        = string
  default     = "trempe-agent.deb"
  description = "The agent's package."
}

variable "vcenter_server" {
  type = string
}

variable "vcenter_user" {
  type      = string
  sensitive = true
}

variable "vcenter_password" {
  type      = string
  sensitive = true
}

variable "vcenter_insecure" {
  type        = bool
  default     = false
  description = "Whether a certificate that nobody vouches for is taken."
}

variable "datacenter" {
  type    = string
  default = ""
}

variable "cluster" {
  type = string
}

variable "datastore" {
  type = string
}

variable "folder" {
  type    = string
  default = ""
}

variable "network" {
  type = string
}

variable "content_library" {
  type        = string
  default     = ""
  description = "The content library that gets the machine as an item of type OVF. Without one it becomes a template in its folder."
}

variable "iso_url" {
  type    = string
  default = "/srv/iso/debian13.iso"
}

variable "iso_checksum" {
  type    = string
  default = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
}

source "vsphere-iso" "image" {
  vcenter_server      = var.vcenter_server
  username            = var.vcenter_user
  password            = var.vcenter_password
  insecure_connection = var.vcenter_insecure
  datacenter          = var.datacenter
  cluster             = var.cluster
  datastore           = var.datastore
  folder              = var.folder

  vm_name              = "debian13"
  guest_os_type        = "debian11_64Guest"
  firmware             = "bios"
  CPUs                 = 2
  RAM                  = 2048
  disk_controller_type = ["pvscsi"]

  storage {
    disk_size             = 20480
    disk_thin_provisioned = true
  }

  network_adapters {
    network      = var.network
    network_card = "vmxnet3"
  }

  iso_url      = var.iso_url
  iso_checksum = var.iso_checksum
  http_directory = "installer"
  remove_cdrom = true
  # Without it Packer changes the machine's boot order once more after it became a template, which vCenter refuses.
  boot_order   = "disk,cdrom"
  boot_wait    = "10s"
  boot_command = [
    "<esc><wait>",
    "install auto=true priority=critical preseed/url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg<enter>",
  ]

  communicator         = "ssh"
  ssh_username         = "trempe-build"
  ssh_private_key_file = var.private_key
  ssh_timeout          = "90m"
  ip_wait_timeout      = "90m"
  shutdown_command     = "sudo -n systemd-run --quiet --collect --unit=trempe-seal /bin/bash /root/trempe-seal.sh"
  shutdown_timeout     = "20m"

  convert_to_template = var.content_library == ""

  # An item of type OVF is renewed in place by the next build; the machine that it was made of goes.
  dynamic "content_library_destination" {
    for_each = var.content_library == "" ? [] : [var.content_library]
    content {
      library = content_library_destination.value
      name    = "debian13"
      ovf     = true
      destroy = true
    }
  }
}

build {
  sources = ["source.vsphere-iso.image"]

  provisioner "file" {
    source      = "files"
    destination = "/home/trempe-build"
  }

  provisioner "file" {
    source      = var.agent_package
    destination = "/home/trempe-build/trempe-agent.deb"
  }

  # Scripts lie where they can be executed whatever is done to /tmp.
  provisioner "shell" {
    script          = "scripts/provision.sh"
    remote_folder   = "/home/trempe-build"
    execute_command = "sudo -n {{ .Vars }} /bin/bash '{{ .Path }}'"
  }

  # What is on the image, for the host.
  provisioner "file" {
    direction   = "download"
    source      = "/home/trempe-build/packages.tsv"
    destination = "packages.tsv"
  }

  # Sealing takes the build user away and switches the machine off: it is what Packer runs to shut it down.
  provisioner "file" {
    source      = "scripts/seal.sh"
    destination = "/home/trempe-build/seal.sh"
  }

  provisioner "shell" {
    inline          = ["install -m 0700 -o root -g root /home/trempe-build/seal.sh /root/trempe-seal.sh"]
    remote_folder   = "/home/trempe-build"
    execute_command = "sudo -n {{ .Vars }} /bin/bash '{{ .Path }}'"
  }
}
