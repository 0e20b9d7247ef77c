// js_on_load of the explanation.
gsi.adopt(element);
