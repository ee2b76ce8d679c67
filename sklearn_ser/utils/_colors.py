"""Colors that everybody can tell apart [Okabe and Ito (2008), "Color universal design"]."""

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.5"
